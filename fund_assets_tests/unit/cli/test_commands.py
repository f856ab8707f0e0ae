"""Where commands are: each in the file of its name."""

from pathlib import Path

from fund_assets import cli


def test_each_command_has_a_file_of_its_name():
    """Stops a command from being hidden in the file of another, and a file without a command."""
    homes = {
        name: (command.callback.__module__, name.replace("-", "_"))
        for name, command in cli.main.commands.items()
    }
    assert len(homes) > 25
    assert not {
        name: module
        for name, (module, file) in homes.items()
        if module != f"fund_assets.cli.{file}"
    }
    files = {path.stem for path in Path(cli.__file__).parent.glob("[!_]*.py")}
    assert files == {file for _, file in homes.values()}
