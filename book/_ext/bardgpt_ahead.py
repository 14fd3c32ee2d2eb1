"""Runs the chapters that the cache of executions lacks, as many at once as the machine has cores.

MyST-NB would run them one after the other while Sphinx reads, each on one thread of a chapter's
small models: a build from nothing would leave half of two cores idle. Jupyter Cache, which keeps
the executions for MyST-NB, has an executor that runs several. So the chapters are run here first,
and MyST-NB then finds what it looks for. A chapter that fails is left to it: it runs that one
again and reports the failure as it always does.
"""

import logging

from jupyter_cache import get_cache
from jupyter_cache.executors import load_executor
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


def run_ahead(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Run those of the chapters about to be read that are not in the cache."""
    config = env.mystnb_config
    chapters = [path for name in docnames if (path := str(env.doc2path(name))).endswith(".py")]
    if config.execution_mode != "cache" or not chapters:
        return
    cache = get_cache(config.execution_cache_path)
    for path in chapters:
        cache.add_nb_to_project(path, read_data={"name": "jupytext", "type": "plugin"})
    together = load_executor("local-parallel", cache, logging.getLogger(__name__))
    together.run_and_cache(filter_uris=chapters, timeout=config.execution_timeout)


def setup(app: Sphinx) -> dict[str, object]:
    """Run before Sphinx reads the first page, and after its list of pages is final."""
    app.connect("env-before-read-docs", run_ahead)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
