/** Markup, as opposed to text that came from a file. */
export interface Markup {
  readonly markup: string
}

type Content = Markup | string | number | undefined | false | readonly Content[]

export const raw = (markup: string): Markup => ({ markup })

/** Text is escaped, for content and for attributes in double quotes; markup and lists of it stay as they are. */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return raw(parts.map((part, i) => part + (i < contents.length ? markupOf(contents[i]) : '')).join(''))
}

function markupOf(content: Content): string {
  if (content === undefined || content === false) return ''
  if (typeof content === 'string' || typeof content === 'number') return escapeText(String(content))
  return 'markup' in content ? content.markup : content.map(markupOf).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export const escapeText = (text: string) => text.replace(/[&<>"']/g, (letter) => entities[letter]!)
