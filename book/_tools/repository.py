"""Set the address of the book's repository: `repository.py https://github.com/ACCOUNT/NAME`.

The address stands where Colab and citations need it. The one in `_config.yml` counts: wherever
another file of the repository says the same, it is replaced, in all files or in none.

`repository.py --published URL` only says whether it is the one that a website is published for.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bardgpt.files import write_whole

ROOT = Path(__file__).resolve().parents[2]
CONFIG = Path("_config.yml")
LONGEST_ACCOUNT = 39  # GitHub's limit


class AddressError(ValueError):
    """An address that no repository on GitHub can have; the message says why."""


def parse(url: str) -> tuple[str, str]:
    """Return the account and the name in a repository's address.

    A slash or `.git` at its end is left out.

    Raises:
        AddressError: The address is not of the form https://github.com/ACCOUNT/NAME, or GitHub
            allows no such account or name.
    """
    match = re.fullmatch(r"https://github\.com/([^/]+)/([^/]+?)(?:\.git)?/?", url)
    if not match:
        raise AddressError(f"{url!r} is not of the form https://github.com/ACCOUNT/NAME")
    account, name = match.groups()
    if len(account) > LONGEST_ACCOUNT:
        raise AddressError(
            f"{account!r} has {len(account)} characters; an account has {LONGEST_ACCOUNT} at most"
        )
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", account, re.IGNORECASE | re.ASCII):
        raise AddressError(f"{account!r}: an account has letters and digits, between them hyphens")
    if not re.fullmatch(r"(?!\.{1,2}$)[\w.-]{1,100}", name, re.ASCII):
        raise AddressError(f"{name!r}: a repository's name has letters, digits, '.', '-' and '_'")
    return account, name


def present(root: Path = ROOT) -> tuple[str, str]:
    """Return the account and the name that `_config.yml` gives now; they may be a placeholder.

    Raises:
        AddressError: There is no address of the expected form.
    """
    config = (root / CONFIG).read_text(encoding="utf-8")
    match = re.search(r"^  url: https://github\.com/([\w-]+)/([\w.-]+)$", config, re.MULTILINE)
    if not match:
        raise AddressError(f"{CONFIG} has no line '  url: https://github.com/ACCOUNT/NAME'")
    return match[1], match[2]


def files(root: Path = ROOT) -> list[Path]:
    """Return every file that is in git or would be added to it.

    Raises:
        subprocess.CalledProcessError: The folder is not a git checkout.
        FileNotFoundError: There is no git.
    """
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    paths = {root / name for name in listed.decode().split("\0") if name}
    return sorted(path for path in paths if path.is_file())


def changes(root: Path, account: str, name: str) -> dict[Path, bytes]:
    """Return what each file that names the present address says with the new one."""
    was_account, was_name = present(root)
    forms = (  # before it: what stays; after it: what takes the address's place
        (rb"(github(?:usercontent)?(?:\.com)?[/:])%s/%s(?![\w-])", f"{account}/{name}"),
        (rb"(//)%s\.github\.io/%s(?![\w-])", f"{account.lower()}.github.io/{name}"),
    )
    found = {}
    for path in files(root):
        before = after = path.read_bytes()
        if b"\0" in before:
            continue
        for form, new in forms:
            pattern = form % (re.escape(was_account).encode(), re.escape(was_name).encode())
            after = re.sub(pattern, rb"\g<1>" + new.encode(), after, flags=re.IGNORECASE)
        if after != before:
            found[path] = after
    return found


def write_all(contents: Mapping[Path, bytes]) -> None:
    """Write several files, all or none: if one fails, those before it get back what they said."""
    before = {path: path.read_bytes() for path in contents}
    begun: list[Path] = []
    try:
        for path, content in contents.items():
            begun.append(path)
            write_whole(path, content)
    except BaseException:
        for path in begun:
            write_whole(path, before[path])
        raise


def mismatch(root: Path, url: str) -> str:
    """Return what is wrong where Colab would install another repository than this one, else ""."""
    written, wanted = "/".join(present(root)), "/".join(parse(url))
    if written.lower() == wanted.lower():
        return ""
    return (
        f"The chapters' first cell would install {written} on Colab: say "
        f"make repository URL={url}, and commit what it changes."
    )


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Set the address; return 0, or 1 after saying what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("url", nargs="?", default="", help="https://github.com/ACCOUNT/NAME")
    parser.add_argument("--published", action="store_true", help="say only whether it is this one")
    given = parser.parse_args(arguments)
    url = given.url
    try:
        if given.published:
            wrong = mismatch(root, url)
            print(wrong, end="\n" if wrong else "", file=sys.stderr)
            return int(bool(wrong))
        contents = changes(root, *parse(url))
        # The file that says what to look for goes last: a run that was killed can be done again.
        last = root / CONFIG
        write_all(dict(sorted(contents.items(), key=lambda item: (item[0] == last, item[0]))))
    except AddressError as error:
        print(f"{error}\nSay: make repository URL=https://github.com/ACCOUNT/NAME", file=sys.stderr)
        return 1
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", b"") or str(error).encode()
        print(f"Nothing was changed: {reason.decode().strip()}", file=sys.stderr)
        return 1
    for path in contents:
        print(path.relative_to(root).as_posix())
    print(f"{len(contents)} files changed" if contents else "unchanged")
    return 0


if __name__ == "__main__":
    sys.exit(main())
