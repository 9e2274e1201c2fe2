import { parseHTML } from 'linkedom'

/** An empty document, for drawing where there is no page. */
export function emptyDocument(): Document {
  return parseHTML('<!doctype html><html><body></body></html>').document
}
