"""Completion for the shell: a script with every command and option, written from their parsers."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import TYPE_CHECKING

from autograd.command.usage import UsageError

if TYPE_CHECKING:
    from autograd.command.parser import Parser

SHELLS = {
    "bash": "source <(chainrule --completion bash)        in ~/.bashrc",
    "zsh": "source <(chainrule --completion zsh)         in ~/.zshrc",
    "fish": "chainrule --completion fish | source         in config.fish",
}
"""By name, how the script is put to use."""

BASH = """\
_chainrule() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} options="" names=""
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W {commands} -- "$word"))
    return
  fi
  case "${{COMP_WORDS[1]}} $before" in
{choices}
  esac
  case "${{COMP_WORDS[1]}}" in
{options}
  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  else
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -W "$names" -- "$word") $(compgen -f -- "$word"))
  fi
}}
complete -F _chainrule chainrule
"""

ZSH = "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n"


def script_for(shell: str, commands: Mapping[str, tuple[str, Parser]]) -> str:
    """Return the script that teaches a shell the command.

    Args:
        shell: one of `SHELLS`.
        commands: by name, what each does, and its parser.

    Raises:
        UsageError: for another shell there is none.
    """
    if shell not in SHELLS:
        raise UsageError(f"completion is for {', '.join(SHELLS)}, not {shell!r:.60}")
    first = f"# {SHELLS[shell]}\n"
    if shell == "fish":
        return first + "\n".join(_fish(commands)) + "\n"
    return first + (ZSH if shell == "zsh" else "") + _bash(commands)


def _bash(commands: Mapping[str, tuple[str, Parser]]) -> str:
    first = [*commands, "--help", "--version", "--completion"]
    shells = quote(" ".join(SHELLS))
    choices = [f'    "--completion "*) COMPREPLY=($(compgen -W {shells} -- "$word")); return ;;']
    options = []
    for name, (_, parser) in commands.items():
        known = [action for action in parser._actions if action.option_strings]
        spelled = " ".join(option for action in known for option in action.option_strings)
        words = " ".join(
            word
            for action in parser._actions
            if not action.option_strings
            for word in parser.completions(action)
        )
        options.append(f"    {name}) options={quote(spelled)} names={quote(words)} ;;")
        for action in known:
            if completions := parser.completions(action):
                cases = "|".join(f'"{name} {option}"' for option in action.option_strings)
                among = quote(" ".join(completions))
                choices.append(
                    f'    {cases}) COMPREPLY=($(compgen -W {among} -- "$word")); return ;;'
                )
    return BASH.format(
        commands=quote(" ".join(first)), choices="\n".join(choices), options="\n".join(options)
    )


def _fish(commands: Mapping[str, tuple[str, Parser]]) -> list[str]:
    lines = [
        f"complete -c chainrule -n __fish_use_subcommand -f -a {name} -d {quote(summary)}"
        for name, (summary, _) in commands.items()
    ]
    begin = "complete -c chainrule -n __fish_use_subcommand"
    lines += [
        f"{begin} -l help -s h -d 'print the help'",
        f"{begin} -l version -d 'print the version'",
        f"{begin} -l completion -x -a {quote(' '.join(SHELLS))}",
    ]
    for name, (_, parser) in commands.items():
        for action in parser._actions:
            spelled = [
                f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
                for option in action.option_strings
            ]
            completions = quote(" ".join(parser.completions(action)))
            seen = f"complete -c chainrule -n '__fish_seen_subcommand_from {name}'"
            if not spelled:
                if parser.completions(action):
                    lines.append(f"{seen} -a {completions}")
                continue
            takes = "" if action.nargs == 0 else " -r"
            if parser.completions(action):
                takes = f" -x -a {completions}"
            told = (action.help or "").replace("%(default)s", str(action.default))
            lines.append(f"{seen} {' '.join(spelled)}{takes} -d {quote(told)}")
    return lines
