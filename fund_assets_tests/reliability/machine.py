"""A fresh Debian in namespaces of its own, with systemd as its first process.

Belongs here: making, booting, asking and ending such a machine. Does not belong here: what is
done on it (`deployment.py`).

The base is made once by debootstrap; a machine writes into an overlay above it, which outlives
its boots. It has processes, mounts, names and a network of its own, and no way out of that
network: what fetches packages is run with this machine's (`outside=True`).
"""

import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DEBIAN = "bookworm"
PACKAGES = "systemd,systemd-sysv,dbus,ca-certificates,sudo,procps"
TOOLS = ("debootstrap", "unshare", "nsenter", "ip")
START_S = 120
#: Below it each machine has a group of its own: systemd as first process wants a tree.
GROUPS = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")

#: $1 layers below, $2 folder of the machine, $3 name; then pairs of a folder here and its place there.
BOOT = r"""set -eu
base=$1 folder=$2; hostname "$3"; shift 3
mount --make-rprivate /
root=$folder/root
mount -t overlay overlay -o "lowerdir=$base,upperdir=$folder/upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"; ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"; ln -s fd/1 "$root/dev/stdout"; ln -s fd/2 "$root/dev/stderr"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
while [ $# -gt 0 ]; do
    mkdir -p "$root$2"; mount --bind "$1" "$root$2"; shift 2
done
mkdir -p "$root/outside"; cd "$root"; pivot_root . outside; umount -l /outside
exec env -i container=debian PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --log-target=journal --show-status=0
"""


def absence() -> str:
    """Why no such machine can be made here; empty where it can."""
    missing = [tool for tool in TOOLS if not shutil.which(tool, path=_path())]
    if missing:
        return f"absent: {', '.join(missing)} (Debian has a package of each name)"
    if os.geteuid():
        return "machines of one's own need root"
    if not _group():
        return "no cgroup of version 2 can be made below /sys/fs/cgroup"
    tried = subprocess.run(
        ["unshare", "--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup", "--fork", "true"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return f"no namespaces: {tried.stderr.strip()}" if tried.returncode else ""


def base(folder: Path) -> Path:
    """The Debian that machines begin with, made below this folder where it is not there yet.

    It trusts and asks what this machine does: certificates, names and pip's settings are its.

    Raises:
        RuntimeError: debootstrap could not make it, with its last words.
    """
    made = folder / "debian"
    if made.exists():
        return made
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / "debian.new"
    shutil.rmtree(new, ignore_errors=True)
    done = subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", DEBIAN, str(new)],
        capture_output=True, text=True, check=False, env={**os.environ, "PATH": _path()},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"debootstrap: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    for file in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
        if (Path("/") / file).exists():
            shutil.copy(Path("/") / file, new / file)
    index = os.environ.get("PIP_INDEX_URL")
    if index:
        (new / "etc/pip.conf").write_text(f"[global]\nindex-url = {index}\n")
    # Nothing of it outlives its tests: packages need not wait for the disk.
    (new / "etc/dpkg/dpkg.cfg.d").mkdir(exist_ok=True)
    (new / "etc/dpkg/dpkg.cfg.d/lazy").write_text("force-unsafe-io\n")
    # What a machine of its own lacks, and no service of ours asks for.
    for unit in (
        "getty.target",
        "console-getty.service",
        "systemd-networkd-wait-online.service",
    ):
        (new / "etc/systemd/system" / unit).symlink_to("/dev/null")
    new.rename(made)
    return made


@dataclass(frozen=True)
class Answer:
    """What a command said, and how it ended."""

    code: int
    said: str


class Machine:
    """One machine; `machine` makes and ends it.

    Args:
        layers: what it begins with, the topmost first: what a machine that was kept had written,
            and the Debian below all, as `base` makes it.
        folder: of its own: what it writes is below it.
        shared: folders of this machine, by where they are found there.
    """

    def __init__(
        self, name: str, layers: tuple[Path, ...], folder: Path, shared: dict[str, Path]
    ) -> None:
        self.name, self.layers, self.folder, self.shared = name, layers, folder, shared
        for part in ("upper", "work", "root"):
            (folder / part).mkdir(parents=True)
        (folder / "upper/etc").mkdir(mode=0o755)
        (folder / "upper/etc/machine-id").write_text(f"{os.urandom(16).hex()}\n")
        (folder / "upper/etc/hostname").write_text(f"{name}\n")
        (folder / "upper/etc/hosts").write_text(f"127.0.0.1 localhost {name}\n")
        self.group = (_group() or Path()) / f"fund-{name}-{os.getpid()}"
        self._holder: subprocess.Popen[bytes] | None = None
        self._spent_s = 0.0
        self.first = 0

    def boot(self) -> None:
        """Start it; it is asked from when systemd answers, which is before all is started.

        Raises:
            RuntimeError: systemd does not answer, with what was said instead.
        """
        self.group.mkdir(exist_ok=True)
        pairs = [str(p) for there, here in self.shared.items() for p in (here, there)]
        words = ["unshare", "--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup", "--fork",
                 "--kill-child", "bash", "-c", BOOT, "boot", ":".join(map(str, self.layers)),
                 str(self.folder), self.name, *pairs]  # fmt: skip
        log = self.folder / "boot.log"

        def enter() -> None:
            (self.group / "cgroup.procs").write_text(str(os.getpid()))
            ctypes.CDLL(None).prctl(1, 9)

        self._holder = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log.open("a"), stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=enter, env={"PATH": _path()},
        )  # fmt: skip
        end = time.monotonic() + START_S
        while time.monotonic() < end and self._holder.poll() is None:
            self.first = _child(self._holder.pid)
            if self.first and self._is_systemd() and not self.ask("systemctl list-jobs").code:
                return
            time.sleep(0.2)
        raise RuntimeError(f"{self.name} does not start: {log.read_text()[-2000:]}")

    def _is_systemd(self) -> bool:
        try:
            return Path(f"/proc/{self.first}/comm").read_text() == "systemd\n"
        except OSError:
            return False

    def ask(
        self, command: str, *, outside: bool = False, answers: str = "", patience_s: float = 900
    ) -> Answer:
        """Run a command as root there, in bash.

        Args:
            outside: with the network of this machine, for what is fetched.
            answers: what it reads from its input.

        Returns:
            Its exit code (124: it was ended after `patience_s`), and all that it said.
        """
        before = _children_s()
        network = () if outside else ("--net",)
        entered = ["nsenter", "--target", str(self.first), "--mount", "--uts", "--ipc", "--pid",
                   "--cgroup", *network]  # fmt: skip
        own = ["env", "-i", "HOME=/root", "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:"
               "/usr/sbin:/usr/bin:/sbin:/bin", "timeout", str(patience_s), "bash", "-c", command]  # fmt: skip
        done = subprocess.run(
            [*entered, *own], input=answers.encode(), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        self._spent_s += _children_s() - before
        return Answer(done.returncode, done.stdout.decode(errors="replace"))

    def shut_down(self) -> None:
        """As by its administrator: services are stopped in order."""
        self.ask("systemctl poweroff")
        try:
            self._wait(180)
        except subprocess.TimeoutExpired:
            self.cut()

    def cut(self) -> None:
        """As by a power failure."""
        if self._holder and self._holder.poll() is None:
            self._holder.kill()
            self._wait(30)

    def spent_s(self) -> float:
        """Seconds of the processor that it and what it was asked have needed, over all boots."""
        return self._spent_s + self._services_s()

    def _services_s(self) -> float:
        try:
            told = (self.group / "cpu.stat").read_text().split()
        except OSError:
            return 0.0
        return int(told[told.index("usage_usec") + 1]) / 1e6

    def keep(self, layer: Path) -> None:
        """Shut it down for good; what it wrote is a layer for others, on the same file system."""
        self.shut_down()
        (self.folder / "upper").rename(layer)

    def _wait(self, limit_s: float) -> None:
        if self._holder:
            self._holder.wait(limit_s)
        for _ in range(100):
            if not self.group.exists() or not (self.group / "cgroup.events").exists():
                break
            if "populated 0" in (self.group / "cgroup.events").read_text():
                break
            time.sleep(0.1)
        self._spent_s += self._services_s()
        for below, _, _ in os.walk(self.group, topdown=False):
            Path(below).rmdir()


@contextmanager
def machine(
    name: str, layers: tuple[Path, ...], folder: Path, shared: dict[str, Path]
) -> Iterator[Machine]:
    """A machine that runs, and is gone with all that it wrote afterwards."""
    one = Machine(name, layers, folder, shared)
    try:
        one.boot()
        yield one
    finally:
        one.cut()
        shutil.rmtree(folder, ignore_errors=True)


def connect(first: Machine, second: Machine, addresses: tuple[str, str]) -> None:
    """A cable between two machines, with these addresses (10.0.0.1/24) at its ends.

    Raises:
        subprocess.CalledProcessError: this machine cannot lay one.
    """

    def at(one: Machine, *words: str) -> None:
        command = ["nsenter", "--target", str(one.first), "--net", "ip", *words]
        subprocess.run(command, check=True, capture_output=True)

    at(first, "link", "add", "cable0", "type", "veth", "peer", "name", "cable0",
       "netns", str(second.first))  # fmt: skip
    for one, address in zip((first, second), addresses, strict=True):
        at(one, "addr", "add", address, "dev", "cable0")
        at(one, "link", "set", "cable0", "up")


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _children_s() -> float:
    told = os.times()
    return told.children_user + told.children_system


def _group() -> Path | None:
    """Where groups of version 2 can be made, if anywhere."""
    for place in map(Path, GROUPS):
        if (place / "cgroup.procs").exists():
            tried = place / f"fund-tried-{os.getpid()}"
            try:
                tried.mkdir()
                (tried / "cgroup.procs").read_text()
                tried.rmdir()
            except OSError:
                continue
            return place
    return None


def _child(process: int) -> int:
    """The only child of a process; 0 while there is none."""
    try:
        found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return 0
    return int(found[0]) if found else 0
