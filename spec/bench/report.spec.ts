import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chartFiles, reportPage } from '../../bench/report/page.ts'
import { type Inputs, readReports } from '../../bench/report/read.ts'
import { cli, fixtures, inFolder } from '../apps/cli-run.ts'

const folder = join(fixtures, 'bench')
const names = readdirSync(folder).sort()
const read = (name: string) => ({ name, text: readFileSync(join(folder, name), 'utf8') })
const parsed = (name: string) => JSON.parse(read(name).text)
const inputsOf = (...files: readonly string[]): Inputs => readReports(files.map(read))

/** Of a value, every one inside, by `change`: it gets the name of the field. */
function changed(value: unknown, change: (value: unknown, field: string) => unknown, field = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => changed(item, change, field))
  if (typeof value !== 'object' || value === null) return change(value, field)
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, changed(item, change, name)]))
}

const withoutSpans = (text: string) => text.replace(/<\/?span>/g, '')

const count = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length

/** Every element is closed, in order, and text and attributes have no loose < or &: what a reader of XML insists on. */
function assertWellFormed(xml: string): void {
  const open: string[] = []
  const rest = xml.replace(
    /<(\/?)([a-zA-Z]+)((?:\s+[a-zA-Z0-9:-]+="[^"<]*")*)\s*(\/?)>/g,
    (_, end, name, attributes, empty) => {
      assert.doesNotMatch(attributes, /&(?!(amp|lt|gt|quot|#\d+);)/)
      if (end) assert.equal(open.pop(), name)
      else if (!empty) open.push(name)
      return ''
    },
  )
  assert.deepEqual(open, [])
  assert.equal(/.{0,60}(<|&(?!(amp|lt|gt|quot|#\d+);)).{0,60}/.exec(rest)?.[0], undefined)
}

/** Nothing that a browser would fetch or run. */
function assertSelfContained(markup: string): void {
  const tags = (markup.match(/<[a-z][^>]*>/gi) ?? []).map((tag) => tag.replace(/="[^"]*"/g, '=""'))
  const names = new Set(tags.map((tag) => /^<(\w+)/.exec(tag)![1]!.toLowerCase()))
  for (const name of ['script', 'link', 'img', 'iframe', 'object', 'embed', 'use', 'image', 'foreignobject', 'base']) {
    assert.ok(!names.has(name), name)
  }
  assert.deepEqual(
    tags.filter((tag) => /\s(src|srcset|on[a-z]+|xlink:href)\b/i.test(tag)),
    [],
  )
  assert.deepEqual(markup.match(/\shref="[^#][^"]{0,40}/g), null)
  assert.deepEqual(markup.match(/@import|url\(/gi), null)
}

describe('bench report, the page', () => {
  let page: string
  before(async () => {
    page = await reportPage(inputsOf(...names))
  })

  it('has a section for each kind of input, none for what is not there', async () => {
    const titles = (text: string) => [...text.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, title]) => title)
    assert.deepEqual(titles(page), [
      ...['Kernels', 'Beside its peers', 'Parts beside their peers', 'The whole model', 'Over threads'],
      ...['Load and memory', 'Precision', 'Machine, versions, settings'],
    ])
    assert.deepEqual(titles(await reportPage(inputsOf('precision.json'))), ['Precision', 'Machine, versions, settings'])
  })

  it('stands alone', () => {
    assertSelfContained(page)
    assert.doesNotMatch(page, /NaN|Infinity|undefined|\[object/)
  })

  it('gives every chart a title, a sentence, the command that repeats it, and a drawing for wide and narrow', () => {
    const figures = page.split('<figure ').slice(1)
    assert.ok(figures.length >= 12, `${figures.length}`)
    for (const figure of figures) {
      const [, id] = /^id="([a-z0-9-]+)"/.exec(figure)!
      assert.match(figure, new RegExp(`<h3 id="${id}-title">.{5,}</h3><p>.{40,}</p>`))
      assert.match(withoutSpans(figure), /Repeat: <code>(bareclip bench|npm run bench --) [a-z]+.*<\/code>/)
      assert.equal(count(figure, /<svg /g), 2)
    }
    assert.equal(new Set(page.match(/\bid="[^"]+"/g)).size, page.match(/\bid="[^"]+"/g)!.length)
  })

  it('names the commands as one types them', () => {
    for (const command of [
      'bareclip bench kernels --dtype f32,i8 --device wasm --threads 1',
      'bareclip bench model --model shapes --device wasm --dtype f32 --threads 2 --cases 1x16,1x128,1x512,8x128,image-1,image-8 --runs 3',
      'npm run bench -- peers DIR --cases 1x16,1x128,image-1 --rounds 2 --dtypes f32,q8 --peers web-f32,node-f32,web-q8 --threads 2',
    ]) {
      assert.ok(withoutSpans(page).includes(`<code>${command}</code>`), command)
    }
  })

  it('marks a wrong kernel loudly and gives it no figures', () => {
    assert.match(page, /class="alarm".*1 of 29 kernels is WRONG<\/strong> and not timed/)
    const [row] = /<tr class="wrong">.*?<\/tr>/s.exec(page)!
    assert.match(row, /8x8 broken.*<strong>WRONG<\/strong>, not timed: component \(3, 17\) is 0\.25/s)
    assert.equal(count(page, /<tr class="wrong">/g), 1)
  })

  it('says that a software adapter measures no GPU, and where a browser measured', async () => {
    const report = parsed('kernels-webgpu.json')
    report.machine.runtime = 'Chrome 156.0.0.0'
    const text = JSON.stringify(report)
    const page = await reportPage(readReports([{ name: 'a.json', text }]))
    assert.match(
      page,
      /<p class="alarm"><strong>webgpu<\/strong>: <strong>SOFTWARE ADAPTER: no measure of any GPU<\/strong>;/,
    )
    assert.match(withoutSpans(page), /Repeat: <code>bareclip bench --browser<\/code>/)
  })

  it('labels the roofs with their measured rates', () => {
    for (const label of ['92.4 GFLOP/s', '58.2 GFLOP/s', 'copy: 11.3 GB/s', '7.1 GFLOP/s']) {
      assert.match(page, new RegExp(`<text[^>]*>[^<]*${label}</text>`))
    }
  })

  it('puts files of one kind side by side, named by what differs', () => {
    for (const id of ['batch-f32-wasm-node-20-20', 'batch-f32-wasm-node-24-21'])
      assert.ok(page.includes(`id="${id}"`), id)
    const tokens = page.slice(page.indexOf('id="length-tokens"'))
    assert.match(tokens, />f32 · wasm · Node 20\.20<.*>f32 · wasm · Node 24\.21</s)
  })

  it('shows the ratio of each case, the geometric mean and the worst', () => {
    const { cases } = parsed('peers.json')
    const times = (name: string, item: number) =>
      cases[item].results.find((one: { name: string }) => one.name === name).times as number[]
    const ratios = [0, 1, 2].map((item) => {
      const [a, b] = [times('ours-f32', item), times('onnxruntime-web-f32', item)]
      return (b[0]! / a[0]! + b[1]! / a[1]!) / 2
    })
    const mean = Math.cbrt(ratios[0]! * ratios[1]! * ratios[2]!)
    const row = new RegExp(
      `bareclip f32</th><td>onnxruntime-web-f32</td><td class="n"><b>${mean.toFixed(2)}×</b></td><td class="n">${Math.min(...ratios).toFixed(2)}×`,
    )
    assert.match(page, row)
    for (const ratio of ratios) assert.match(page, new RegExp(`<text[^>]*>${ratio.toFixed(2)}× \\(`))
  })

  it('shows the failure of a peer in its words', () => {
    assert.match(
      page,
      /<td>gpu\.js<\/td><td class="n"><span class="failed">not installed: npm install --prefix bench\/peers</,
    )
  })

  it('draws shares that add up to the whole', () => {
    const { cases } = parsed('model-node20.json')
    const [{ profile }] = cases
    const largest = Math.max(...profile.operations.map(({ ms }: { ms: number }) => ms)) / profile.ms
    assert.ok(page.includes(`1x16: linear ${(largest * 100).toFixed(0)} %`), `${largest}`)
  })
})

describe('bench report, hostile input', () => {
  const kept = ['schema', 'verdict', 'bound']
  const evil = (field: string) =>
    `</svg></style></title><script>alert(1)</script><img src=x onerror=alert(2)>"'\`&amp;\u202e\u0000\u001b]]>${'x'.repeat(500)} $(rm) \u00a0\ud800 ${field}`
  const inputs = (change: (value: unknown, field: string) => unknown) =>
    readReports(
      names.map((name) => ({ name: `${evil('')}/${evil(name)}`, text: JSON.stringify(changed(parsed(name), change)) })),
    )

  it('strings are text and nothing else, in the page and in the files', async () => {
    const bad = inputs((value, field) => (typeof value === 'string' && !kept.includes(field) ? evil(field) : value))
    const page = await reportPage(bad)
    assertSelfContained(page)
    assert.deepEqual(page.replaceAll('\n', '').match(/[\p{Cc}\p{Cs}\u00a0\u202e\ufffd]/u), null)
    assert.ok(page.includes('&lt;script&gt;alert(1)'))
    for (const { name, text } of await chartFiles(bad)) {
      assert.match(name, /^[a-z0-9-]{1,200}\.svg$/)
      assertSelfContained(text)
      assertWellFormed(text)
    }
  })

  for (const extreme of [1e18, 1e-18, 0]) {
    it(`every number is ${extreme}`, async () => {
      const positive = /^(ms|msWhole|gpuMs|median|least|most|rate|bytes|times|threads)$/
      const bad = inputs((value, field) =>
        typeof value !== 'number' || (extreme === 0 && positive.test(field)) ? value : extreme,
      )
      const page = await reportPage(bad)
      assert.doesNotMatch(page, /NaN|Infinity|undefined/)
      for (const { text } of await chartFiles(bad)) assert.doesNotMatch(text, /NaN|Infinity|undefined/)
    })
  }

  it('names of __proto__ and constructor are names', async () => {
    const report = `{"schema":"bareclip-bench-precision-1","machine":{"runtime":"r","platform":"p","processor":"c","cores":1,"versions":{"__proto__":"1","constructor":"2"}},"settings":{"__proto__":"x","toString":"y"},"rows":[]}`
    const page = await reportPage(readReports([{ name: 'a.json', text: report }]))
    assert.match(page, /__proto__ 1, constructor 2/)
  })

  it('thousands of kernels are drawn in seconds', async () => {
    const report = parsed('kernels-wasm.json')
    const [first] = report.kernels
    report.kernels = Array.from({ length: 3000 }, (_, i) => ({ ...first, name: `${i}`, bytes: first.bytes * (1 + i) }))
    const page = await reportPage(readReports([{ name: 'a.json', text: JSON.stringify(report) }]))
    assert.ok(page.includes('<b>2999</b>'))
  })
})

describe('bench report, what is no report', () => {
  const kernels = () => parsed('kernels-wasm.json')
  const known = 'bareclip-bench-kernels-1, .*bareclip-bench-precision-1'
  for (const [title, value, message] of [
    ['no JSON', '{"schema":', /^x\.json: not JSON: /],
    ['nothing', '', /^x\.json: not JSON: /],
    ['a number', '5', new RegExp(`^x\\.json: expected a report of the bench with a "schema" \\(${known}\\), got 5$`)],
    ['null', 'null', /with a "schema" .* got null$/],
    ['a list', '[]', /got an array of 0$/],
    ['no schema', '{}', /got an object \(Object\)$/],
    ['a schema that is no text', '{"schema":1}', /got schema 1$/],
    [
      'another schema',
      '{"schema":"bareclip-bench-poems-1"}',
      new RegExp(`^x\\.json: unknown schema "bareclip-bench-poems-1"; known are ${known}$`),
    ],
    [
      'a newer version',
      '{"schema":"bareclip-bench-kernels-2"}',
      /^x\.json: schema bareclip-bench-kernels-2 is of a newer version: this bareclip reads version 1; /,
    ],
    [
      'no machine',
      JSON.stringify({ ...kernels(), machine: undefined }),
      /^x\.json: report\.machine should be an object|^x\.json: report\.machine is missing: expected an object$/,
    ],
    [
      'a field of another type',
      JSON.stringify({ ...kernels(), roofs: 'high' }),
      /^x\.json: report\.roofs should be a list, got "high"$/,
    ],
    [
      'a figure that is text',
      JSON.stringify({ ...kernels(), roofs: [{ ...kernels().roofs[0], rate: '5' }] }),
      /^x\.json: report\.roofs\[0\]\.rate should be a number above 0, .*, got "5"$/,
    ],
    [
      'a figure beyond all measure',
      JSON.stringify({ ...kernels(), roofs: [{ ...kernels().roofs[0], rate: 1 }] }).replace('"rate":1', '"rate":1e999'),
      /roofs\[0\]\.rate should be .* got Infinity$/,
    ],
    [
      'a kernel without its time',
      JSON.stringify({ ...kernels(), kernels: [{ ...kernels().kernels[0], ms: undefined }] }),
      /^x\.json: report\.kernels\[0\]\.ms is missing: expected an object$/,
    ],
    [
      'another verdict',
      JSON.stringify({ ...kernels(), kernels: [{ ...kernels().kernels[0], verdict: 'fine' }] }),
      /kernels\[0\]\.verdict should be "ok", got "fine"$/,
    ],
    [
      'wrong without a reason',
      JSON.stringify({ ...kernels(), kernels: [{ ...kernels().kernels[0], verdict: {} }] }),
      /kernels\[0\]\.verdict\.wrong is missing: expected a string$/,
    ],
    [
      'too many of them',
      JSON.stringify({ ...kernels(), roofs: new Array(20_001).fill(0) }),
      /report\.roofs should be a list of at most 20000, got an array of 20001$/,
    ],
  ] as const) {
    it(title, () => {
      assert.throws(() => readReports([read('load.json'), { name: 'x.json', text: value }]), {
        name: 'BareclipError',
        code: 'INVALID_ARGUMENT',
        message,
      })
    })
  }
})

describe('bareclip bench report', () => {
  const files = ['kernels-wasm.json', 'peers.json'].map((name) => join(folder, name))

  it('writes the page, and with --svg each chart as a file', () =>
    inFolder(async (here) => {
      const output = join(here, 'page.html')
      const svg = join(here, 'a/b')
      const { code, out, err } = await cli(['bench', 'report', ...files, '-o', output, '--svg', svg])
      assert.deepEqual([code, out], [0, ''])
      assert.match(err, /^bareclip: wrote .*page\.html\nbareclip: wrote .*roofline-wasm\.svg, .*\n$/)
      assert.match(readFileSync(output, 'utf8'), /^<!doctype html>.*<\/html>\n$/s)
      assert.deepEqual(readdirSync(svg).sort(), ['peers-ours-f32.svg', 'peers-ours-q8.svg', 'roofline-wasm.svg'])
      for (const name of readdirSync(svg)) {
        const text = readFileSync(join(svg, name), 'utf8')
        assert.match(text, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /)
        assert.doesNotMatch(text, /var\(/)
        assert.match(text, /Repeat: /)
        assertWellFormed(text)
      }
      const alone = join(here, 'c')
      assert.equal((await cli(['bench', 'report', files[1]!, '--svg', alone])).code, 0)
      assert.ok(existsSync(join(alone, 'peers-ours-q8.svg')) && !existsSync('report.html'))
    }))

  it('refuses what it cannot read or write, and leaves nothing behind', () =>
    inFolder(async (here) => {
      const bad = join(here, 'bad.json')
      writeFileSync(bad, '{}')
      mkdirSync(join(here, 'folder'))
      const output = join(here, 'page.html')
      for (const [args, message] of [
        [[], /missing required argument 'files'/],
        [[join(here, 'none.json'), '-o', output], /cannot read .*none\.json: ENOENT/],
        [[join(here, 'folder'), '-o', output], /cannot read .*folder: EISDIR/],
        [[files[0]!, bad, '-o', output], /bad\.json: expected a report of the bench/],
        [[bad, '-o', bad], /bad\.json is a report to read: give --output another name/],
        [[files[0]!, '-o', join(here, 'no/page.html')], /cannot write .*no such folder/],
        [[files[0]!, '--svg', bad], /cannot make the folder .*bad\.json/],
      ] as const) {
        const { code, out, err } = await cli(['bench', 'report', ...args])
        assert.deepEqual([code, out], [2, ''])
        assert.match(err, message)
        assert.equal(err.trimEnd().split('\n').length, 1)
        assert.ok(!existsSync(output))
      }
      assert.equal(readFileSync(bad, 'utf8'), '{}')
    }))
})
