"""The settings of the environment, for commands."""

from pydantic import ValidationError
from pydantic_settings import SettingsError

from mixwright.problems import CommandError
from service.settings import Settings


def read_settings(*, root_path: str | None = None) -> Settings:
    """Read the settings; an option of a command that was given goes before the environment.

    Raises:
        CommandError: a variable holds what cannot be used; the text names it.
    """
    try:
        return Settings() if root_path is None else Settings(root_path=root_path)
    except SettingsError as error:
        raise CommandError(f'{error}: write a list as JSON, such as ["localhost"]') from None
    except ValidationError as error:
        # Without the values: one of them may be a password.
        found = [
            f"MIXWRIGHT_{str(p['loc'][0]).upper()}: {p['msg']}" for p in error.errors(include_input=False)
        ]
        raise CommandError("; ".join(found)) from None
