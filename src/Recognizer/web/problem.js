"use strict";

/*
 * Something that went wrong, in words for whoever uses the page. Every other script may throw one; only the page shows
 * them. Each script has one global of its own and uses those of the scripts before it, because the page is served as one
 * document, without modules.
 */
class Problem extends Error {
  constructor(detail, { title = "That did not work", status = 0, parameter, requestId, passing = false } = {}) {
    super(detail);
    Object.assign(this, { title, status, parameter, requestId, passing });
  }
}
