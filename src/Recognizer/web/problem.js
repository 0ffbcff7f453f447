/* Something that went wrong, in words for whoever uses the page. Every module may throw one; only the page shows them. */
export class Problem extends Error {
  constructor(detail, { title = "That did not work", status = 0, parameter, requestId, passing = false } = {}) {
    super(detail);
    Object.assign(this, { title, status, parameter, requestId, passing });
  }
}
