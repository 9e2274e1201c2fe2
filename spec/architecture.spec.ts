import { deepEqual, ok } from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import ts from 'typescript'

const root = new URL('../', import.meta.url)

/** Arrows run one way: what each folder may import. index.ts counts as a folder. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  runtime: ['runtime', 'platform'],
  kernels: ['kernels', 'runtime'],
  models: ['models', 'kernels', 'runtime'],
  platform: ['platform', 'runtime'],
  loaders: ['loaders', 'platform', 'runtime'],
  clip: ['clip', 'models', 'kernels', 'loaders', 'platform', 'runtime'],
  'index.ts': ['clip', 'loaders', 'runtime'],
  bench: ['bench', 'index.ts', 'clip', 'models', 'kernels', 'loaders', 'platform', 'runtime'],
  apps: ['apps', 'bench', 'index.ts', 'clip', 'models', 'kernels', 'loaders', 'platform', 'runtime'],
}

/** These run in a browser. */
const portable = ['clip', 'models', 'kernels', 'runtime', 'loaders', 'index.ts']

/** Of the repository only. */
const unpublished = ['apps/bench/', 'bench/peers/']
const isPublished = (path: string) => !unpublished.some((folder) => path.startsWith(folder))

/** Bundled with what it imports when the package is built. */
const bundled = 'bench/vendor/'

const nodeGlobals = ['Buffer', 'process', '__dirname', '__filename', 'require']

interface SourceFile {
  /** From the root, with slashes. */
  readonly path: string
  readonly folder: string
  readonly text: string
  readonly imports: readonly string[]
}

function read(path: string): SourceFile[] {
  const url = new URL(path, root)
  if (!existsSync(url)) return []
  if (statSync(url).isDirectory()) {
    return readdirSync(url).flatMap((name) => (name === 'node_modules' ? [] : read(`${path}/${name}`)))
  }
  // *.as.ts is AssemblyScript, another language with its own compiler.
  if (!path.endsWith('.ts') || path.endsWith('.as.ts')) return []
  const text = readFileSync(url, 'utf8')
  const imports = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName)
  return [{ path, folder: path.split('/')[0]!, text, imports }]
}

const files = Object.keys(mayImport).flatMap(read)

/** The path of a relative import from the root. */
const resolved = (from: SourceFile, specifier: string) =>
  new URL(specifier, new URL(from.path, root)).href.slice(root.href.length)

const isRelative = (specifier: string) => specifier.startsWith('.')

/** Names of node's own values that the file uses without declaring or importing them. */
function globalsIn({ path, text }: SourceFile): string[] {
  if (!nodeGlobals.some((name) => text.includes(name))) return [] // parsing takes a while
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && nodeGlobals.includes(node.text)) {
      const { parent } = node
      const isMember =
        (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
        ((ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodSignature(parent)) &&
          parent.name === node)
      if (!isMember) found.push(`${path}: ${node.text}`)
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true))
  return found
}

describe('architecture', () => {
  it('there is something to look at in every folder', () => {
    for (const folder of ['runtime', 'kernels', 'models', 'platform', 'loaders', 'clip']) {
      ok(files.filter((file) => file.folder === folder).length > 1, folder)
    }
    ok(files.some(({ imports }) => imports.includes('../runtime/errors.ts')))
  })

  it('arrows run one way', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter(isRelative)
        .filter((specifier) => !mayImport[file.folder]!.includes(resolved(file, specifier).split('/')[0]!))
        .map((specifier) => `${file.path} imports ${specifier}`),
    )
    deepEqual(wrong, [])
  })

  it('relative imports name existing files with their ending', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter(isRelative)
        .filter((specifier) => !/\.(ts|json)$/.test(specifier) || !existsSync(new URL(resolved(file, specifier), root)))
        .map((specifier) => `${file.path} imports ${specifier}`),
    )
    deepEqual(wrong, [])
  })

  it('packages are declared dependencies, and what differs by platform comes through #platform', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as Record<
      'dependencies' | 'devDependencies',
      Record<string, string>
    >
    const packagesFor = ({ path }: SourceFile) =>
      !isPublished(path) || path.startsWith(bundled) ? { ...dependencies, ...devDependencies } : dependencies
    const packageOf = (specifier: string) =>
      specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/')
    const wrong = files.flatMap((file) =>
      file.imports
        .filter((specifier) => !isRelative(specifier))
        .filter((specifier) => {
          if (specifier === '#platform') return !mayImport[file.folder]!.includes('platform')
          if (specifier.startsWith('node:')) return portable.includes(file.folder)
          return !(packageOf(specifier) in packagesFor(file))
        })
        .map((specifier) => `${file.path} imports ${specifier}`),
    )
    deepEqual(wrong, [])
  })

  it('what is published reaches nothing that stays in the repository', () => {
    const byPath = new Map(files.map((file) => [file.path, file]))
    const reached = new Set<string>()
    const visit = (path: string): void => {
      const file = byPath.get(path)
      if (!file || reached.has(path)) return
      reached.add(path)
      for (const specifier of file.imports.filter(isRelative)) visit(resolved(file, specifier))
    }
    for (const { path, folder } of files) if (folder === 'apps' && isPublished(path)) visit(path)
    ok(reached.has('bench/model/model.ts'))
    deepEqual(
      [...reached].filter((path) => !isPublished(path)),
      [],
    )
  })

  it("node's globals stay out of what runs in a browser", () => {
    const portableFiles = [...files.filter(({ folder }) => portable.includes(folder)), ...read('platform/browser.ts')]
    deepEqual(portableFiles.flatMap(globalsIn), [])
  })

  it('the browser platform imports nothing of node', () => {
    const [browser] = read('platform/browser.ts')
    deepEqual(
      browser!.imports.filter((specifier) => specifier.startsWith('node:')),
      [],
    )
  })

  it('no file imports itself by way of others', () => {
    const byPath = new Map(files.map((file) => [file.path, file]))
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      const file = byPath.get(path)
      if (!file || done.has(path) || trail.includes(path)) return
      for (const specifier of file.imports.filter(isRelative)) visit(resolved(file, specifier), [...trail, path])
      done.add(path)
    }
    for (const { path } of files) visit(path, [])
    deepEqual(cycles, [])
  })

  it('no file is longer than 400 lines', () => {
    const long = files
      .filter(({ path }) => !path.endsWith('.generated.ts'))
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > 400)
    deepEqual(long, [])
  })
})
