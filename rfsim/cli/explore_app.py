"""`rfsim explore`: the interactive page, served until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, NoReturn

from rfsim.checking.text import whole
from rfsim.cli import streams, terminal
from rfsim.cli.flags import read_as, repeated, switch, text_flag
from rfsim.cli.statuses import DONE, INTERRUPTED

if TYPE_CHECKING:
    from rfsim.explorer.parts import Tell

_port = partial(whole, least=0, most=65535)


def explore(
    *,
    host: Annotated[str, text_flag("Address to serve at; of others than this machine's own the token is needed.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, read_as(_port, "Port; 0 takes a free one.")] = 0,
    allowed_host: Annotated[
        tuple[str, ...],
        repeated(str, "Another name that browsers find the page by, through a tunnel or a proxy: NAME or NAME:PORT."),
    ] = (),
    no_browser: Annotated[bool, switch("Do not open a browser; the address is printed.")] = False,
    no_token: Annotated[bool, switch("No token; only at an address of this machine alone.")] = False,
    quiet: Annotated[bool, switch("No progress; the address still prints.")] = False,
) -> None:
    """An interactive page: spectra and losses of the limit, distillation in two dimensions."""
    from rfsim.computing import machine
    from rfsim.explorer import server

    server.require_extra()
    token = "" if no_token else server.new_token()
    address = server.listen(host, port, token, allowed_host)
    # its socket listens from now on: a browser that comes while the page is prepared waits for it
    streams.tell(address.url)
    terminal.say("preparing the page, which then opens; Ctrl-C ends it", quiet=quiet)
    machine.use_compilation_cache()

    def ready() -> None:
        terminal.say("the page is ready", quiet=quiet)
        if not no_browser:
            import webbrowser

            webbrowser.open(address.url)

    try:
        _warm_up(quiet=quiet)
        server.serve(address, token, ready)
    except KeyboardInterrupt:
        terminal.complain("interrupted")
        _end(INTERRUPTED)
    _end(DONE)


def _end(status: int) -> NoReturn:
    """End the process: threads of open sessions wait for questions, and an exit would wait for them."""
    from rfsim.explorer import workers

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who is impatient is already heard
    workers.shared().close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _warm_up(*, quiet: bool) -> None:
    from rfsim.explorer import workers
    from rfsim.explorer.questions import Question
    from rfsim.explorer.tabs import TABS

    def shown(report: Callable[..., None]) -> Tell:
        return lambda done, total: report("", {"done": done, "total": total})

    questions: list[Question] = []
    for tab in TABS:
        with terminal.bar(f"preparing {tab.title}", quiet=quiet) as report:
            questions += [Question(tab, *one) for one in tab.prepare(shown(report))]
    with terminal.bar("preparing pictures", quiet=quiet) as report:
        workers.shared().warm_up(questions, shown(report))
