import { readFileSync } from 'node:fs'

interface Field {
  /** As in the table: `cases[].ms` */
  readonly path: string
  readonly type: string
  readonly optional: boolean
}

const text = readFileSync(new URL('../../docs/bench-json.md', import.meta.url), 'utf8')

/** By the heading above the table. */
const tables = new Map(
  text
    .split(/^#{2,3} /m)
    .slice(1)
    .map((section): [string, Field[]] => [
      section.slice(0, section.indexOf('\n')).trim(),
      [...section.matchAll(/^\| `([^`]+)` \| ([^|]+) \|/gm)].map(([, path, type]) => ({
        path: path!,
        type: type!.replace(/, optional$/, '').trim(),
        optional: /, optional\s*$/.test(type!),
      })),
    ]),
)

export const documentedSchemas = [...tables.keys()].filter((name) => name.startsWith('bareclip-bench-'))

/** Every value of a report by its path: `cases[].ms.median`; names of an object that the documentation calls `{}` as well. */
function valuesOf(value: unknown, path: string, maps: ReadonlySet<string>, into: [string, unknown][]): void {
  if (Array.isArray(value)) {
    for (const one of value) valuesOf(one, `${path}[]`, maps, into)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, one] of Object.entries(value)) {
      valuesOf(one, maps.has(`${path}{}`) ? `${path}{}` : path === '' ? name : `${path}.${name}`, maps, into)
    }
  } else into.push([path, value])
}

/** The fields of a schema down to simple types, with the tables that they name unfolded. */
function fieldsOf(name: string): Field[] {
  return (tables.get(name) ?? []).flatMap((field) => {
    if (!tables.has(field.type)) return [field]
    return fieldsOf(field.type).map(({ path, type, optional }) => ({
      path: `${field.path}.${path}`,
      type,
      optional: optional || field.optional,
    }))
  })
}

const simple: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
}

const fits = (value: unknown, type: string) => type.split(' or ').some((one) => simple[one]?.(value) ?? false)

/** What of the report is not as documented; empty if all is. */
export function undocumented(report: { readonly schema: string }): string[] {
  const fields = [...fieldsOf('every report'), ...fieldsOf(report.schema)]
  const maps = new Set(fields.flatMap(({ path }) => path.match(/^.*\{\}/)?.[0] ?? []))
  const values: [string, unknown][] = []
  valuesOf(JSON.parse(JSON.stringify(report)), '', maps, values)
  const wrong = new Set<string>()
  for (const [path, value] of values) {
    const field = fields.find((one) => one.path === path)
    if (
      field?.type === 'any' ||
      (path.startsWith('settings.') && !fields.some((one) => one.path.startsWith('settings.')))
    )
      continue
    if (path.endsWith('.verdict') && value === 'ok') continue
    if (/\.verdict\.wrong$/.test(path) && typeof value === 'string') continue
    if (!field) wrong.add(`${path} is not documented`)
    else if (!fits(value, field.type)) wrong.add(`${path} is ${JSON.stringify(value)}, documented as ${field.type}`)
  }
  for (const { path, optional, type } of fields) {
    const within = path.slice(0, Math.max(0, path.lastIndexOf('[]'))) // of an empty list nothing is missing
    const there = within === '' || values.some(([other]) => other.startsWith(`${within}[]`))
    const isMap = path.endsWith('{}') || path.endsWith('[]')
    if (optional || isMap || type === 'any' || type === 'verdict' || !there) continue
    if (!values.some(([other]) => other === path)) wrong.add(`${path} is missing`)
  }
  return [...wrong]
}
