"""The notebook that marimo serves: one explorer for each session."""

import marimo

app = marimo.App(width="full", app_title="rfsim explore")


@app.cell
def _():
    from marimo import ui

    from rfsim.explorer.widget import Explorer

    ui.anywidget(Explorer())
    return


if __name__ == "__main__":
    app.run()
