import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cli, root } from './cli-run.ts'

describe('bareclip, help and unknown commands', () => {
  const commands = [
    'embed',
    'classify',
    'search',
    'tokenize',
    'pixels',
    'inspect',
    'synth',
    'quantize',
    'bench',
    'info',
  ]

  it('lists its commands; each has help with one example', async () => {
    const { code, out, err } = await cli(['--help'])
    assert.deepEqual([code, err], [0, ''])
    for (const command of commands) {
      assert.match(out, new RegExp(`^  ${command} `, 'm'))
      const help = await cli([command, '--help'])
      assert.deepEqual([help.code, help.err], [0, ''])
      assert.equal(help.out.split('Example:').length, 2)
      assert.match(help.out, new RegExp(`bareclip ${command}\\b`))
    }
    for (const command of ['pull', 'verify', 'serve']) assert.ok(!out.includes(command))
  })

  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    assert.deepEqual(await cli(['--version']), { code: 0, out: `${version}\n`, err: '', rows: [] })
  })

  it('ends with 2 without a command or with an unknown one', async () => {
    const none = await cli([])
    assert.deepEqual([none.code, none.out], [2, ''])
    assert.match(none.err, /^Usage: bareclip/)
    const unknown = await cli(['embedd'])
    assert.deepEqual([unknown.code, unknown.out], [2, ''])
    assert.match(
      unknown.err,
      /^bareclip: unknown command 'embedd' \(Did you mean embed\?\); --help lists what there is\n$/,
    )
    assert.equal((await cli(['--nope'])).code, 2)
  })
})
