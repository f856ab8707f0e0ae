"""What the errors of this project have in common.

Belongs here: their base. Does not belong here: any of them; each stands beside what raises it.
"""


class FundAssetsError(Exception):
    """Something that a person can put right; the message says what is wrong and what to do.

    Attributes:
        exit_code: what a command ends with: 1, it could not be done; 2, wrong use or settings.
    """

    exit_code = 1
