import assert from 'node:assert/strict'
import { bitsPerElement } from '../../../loaders/safetensors/dtypes.ts'
import { file, open } from './files.ts'

const entry = (dtype: string, shape: string, offsets: string) =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`

describe('safetensors header', () => {
  describe('accepts', () => {
    const f32 = entry('F32', '[2]', '[0,8]')
    // biome-ignore format: a table
    const accepted: ReadonlyArray<readonly [string, string, number, string[]]> = [
      ['no tensor', '{}', 0, []],
      ['trailing spaces', '{}      ', 0, []],
      ['metadata alone', '{"__metadata__":{"format":"pt"}}', 0, []],
      ['empty metadata', '{"__metadata__":{}}', 0, []],
      ['a scalar', `{"a":${entry('F32', '[]', '[0,4]')}}`, 4, ['a']],
      ['a tensor without elements', `{"a":${entry('F32', '[3,0,5]', '[0,0]')}}`, 0, ['a']],
      ['no elements and dimensions whose product overflows', `{"a":${entry('F64', '[9007199254740991,9007199254740991,0]', '[0,0]')}}`, 0, ['a']],
      ['a tensor without elements between two others', `{"c":${entry('U8', '[1]', '[1,2]')},"b":${entry('U8', '[0]', '[1,1]')},"a":${entry('U8', '[1]', '[0,1]')}}`, 2, ['a', 'b', 'c']],
      ['names in another order than the data', `{"z":${f32},"a":${entry('I32', '[1]', '[8,12]')}}`, 12, ['z', 'a']],
      ['keys of an entry in another order', '{"a":{"data_offsets":[0,8],"shape":[2],"dtype":"F32"}}', 8, ['a']],
      ['white space between all tokens', '{ "a" : \n{ "dtype" : "F32" ,\t"shape" : [ 2 ] , "data_offsets" : [ 0 , 8 ] } }\r\n', 8, ['a']],
      ['an empty name', `{"":${f32}}`, 8, ['']],
      ['__proto__ as a name', `{"__proto__":${f32}}`, 8, ['__proto__']],
      ['constructor and toString as names', `{"constructor":${entry('U8', '[0]', '[0,0]')},"toString":${entry('U8', '[1]', '[0,1]')}}`, 1, ['constructor', 'toString']],
      ['names that look like array indices', `{"10":${entry('U8', '[1]', '[0,1]')},"9":${entry('U8', '[1]', '[1,2]')}}`, 2, ['10', '9']],
      ['escapes and other scripts in names', `{"\\u0061\\n\\"鳥🐦\\ud83d\\udc26":${f32}}`, 8, ['a\n"鳥🐦🐦']],
      ['two F4 in a byte', `{"a":${entry('F4', '[2,3]', '[0,3]')}}`, 3, ['a']],
      ['four F6 in three bytes', `{"a":${entry('F6_E2M3', '[4]', '[0,3]')}}`, 3, ['a']],
    ]
    for (const [what, header, dataBytes, names] of accepted) {
      it(what, async () => {
        const { tensors } = await open(file(header, dataBytes))
        assert.deepEqual([...tensors.keys()], names)
        for (const [name, tensor] of tensors) assert.equal(tensor.name, name)
      })
    }

    it('every dtype of the format', async () => {
      for (const [dtype, bits] of Object.entries(bitsPerElement)) {
        const { tensors } = await open(file(`{"a":${entry(dtype, '[8]', `[0,${bits}]`)}}`, bits))
        assert.equal(tensors.get('a')?.dtype, dtype)
      }
    })
  })

  it('gives dtype, shape, metadata and the bytes’ place in the file', async () => {
    const header = `{"__metadata__":{"format":"pt","__proto__":"x"},"a":${entry('BF16', '[2,3]', '[0,12]')}}`
    const { tensors, metadata } = await open(file(header, 12))
    const begin = 8 + header.length
    assert.deepEqual(tensors.get('a'), { name: 'a', dtype: 'BF16', shape: [2, 3], begin, end: begin + 12 })
    assert.deepEqual(Object.entries(metadata), [
      ['format', 'pt'],
      ['__proto__', 'x'],
    ])
    assert.equal(Object.getPrototypeOf(metadata), Object.prototype)
    assert.equal(({} as Record<string, unknown>).x, undefined)
  })

  describe('refuses', () => {
    const ok = entry('F32', '[2]', '[0,8]')
    // biome-ignore format: a table
    const refused: ReadonlyArray<readonly [string, Uint8Array, string | RegExp]> = [
      ['an empty file', new Uint8Array(0), "bytes: expected 8 bytes with the header's length, found a file of 0 bytes"],
      ['seven bytes', new Uint8Array(7), "bytes: expected 8 bytes with the header's length, found a file of 7 bytes"],
      ['a header of no bytes', file(''), "bytes: the header: expected '{' at character 0, found its end"],
      ['a header longer than the file', file('{}', 0, 3n), 'bytes: expected a header of at most the 2 bytes that follow, found one of 3 bytes'],
      ['a header of over 100 MB', file('{}', 0, 100_000_001n), 'bytes: expected a header of at most 100000000 bytes, found one of 100000001 bytes: this is no safetensors file'],
      ['a header of 2^64 - 1 bytes', file('{}', 0, 2n ** 64n - 1n), 'bytes: expected a header of at most 100000000 bytes, found one of 18446744073709551615 bytes: this is no safetensors file'],
      ['a Git LFS pointer', new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\n'), /this is a Git LFS pointer, fetch the file itself with git lfs pull$/],
      ['a PyTorch zip', Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0), /this is a zip file, perhaps PyTorch weights; expected model\.safetensors$/],
      ['a web page', new TextEncoder().encode('<!doctype html><title>404</title>'), /this looks like a web page$/],
      ['GGUF', new TextEncoder().encode('GGUF\x03\0\0\0\0\0\0\x01'), /this is a GGUF file/],
      ['bytes that are not UTF-8', file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), 'bytes: expected a header in UTF-8, found other bytes'],
      ['an overlong encoding', file(Uint8Array.of(0x7b, 0x22, 0xc0, 0xa2, 0x22, 0x7d)), /in UTF-8/],
      ['a surrogate in UTF-8', file(Uint8Array.of(0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x7d)), /in UTF-8/],
      ['a byte order mark', file('\ufeff{}'), /the header: expected '\{' at character 0/],
      ['a leading space', file(' {}'), 'bytes: the header: expected \'{\' at character 0, found " {}"'],
      ['an array', file('[]'), 'bytes: the header: expected \'{\' at character 0, found "[]"'],
      ['null', file('null'), /expected '\{' at character 0/],
      ['a second value', file('{}{}'), 'bytes: the header: expected nothing but spaces after the last brace at character 2, found "{}"'],
      ['a zero byte as padding', file('{}\0'), /expected nothing but spaces after the last brace at character 2/],
      ['a missing brace', file('{'), 'bytes: the header: expected a name in double quotes at character 1, found its end'],
      ['a trailing comma', file(`{"a":${ok},}`, 8), /the header: expected a name in double quotes at character 54, found "\}"/],
      ['a name without quotes', file(`{a:${ok}}`, 8), /expected a name in double quotes at character 1/],
      ['single quotes', file(`{'a':${ok}}`, 8), /expected a name in double quotes/],
      ['an unclosed name', file('{"abc'), /expected a name in double quotes with its closing quote at character 1/],
      ['an unclosed escape', file('{"abc\\'), /with its closing quote/],
      ['a bad escape', file(`{"\\x":${ok}}`, 8), /expected a name in double quotes that is valid JSON at character 1/],
      ['a raw control character in a name', file(`{"a\nb":${ok}}`, 8), /that is valid JSON/],
      ['a lone surrogate in a name', file(`{"\\ud800":${ok}}`, 8), /without lone surrogates/],
      ['a missing colon', file(`{"a"${ok}}`, 8), /the header: expected ':' at character 4/],
      ['one name twice', file(`{"a":${ok},"b":${entry('U8', '[0]', '[8,8]')},"a":${ok}}`, 8), /the header: expected each name once at character \d+, found "\\"a\\":/],
      ['one name twice, escaped once', file(`{"a":${entry('U8', '[0]', '[0,0]')},"\\u0061":${entry('U8', '[0]', '[0,0]')}}`), /expected each name once/],
      ['__proto__ twice', file(`{"__proto__":${ok},"__proto__":${ok}}`, 8), /expected each name once/],
      ['__metadata__ twice', file('{"__metadata__":{},"__metadata__":{}}'), /expected each name once/],
      ['a metadata key twice', file('{"__metadata__":{"a":"b","a":"c"}}'), /__metadata__: expected each name once/],
      ['a metadata value that is a number', file('{"__metadata__":{"a":1}}'), 'bytes: __metadata__: expected a string in double quotes at character 21, found "1}}"'],
      ['a metadata value that is an object', file('{"__metadata__":{"a":{}}}'), /__metadata__: expected a string/],
      ['metadata that is null', file('{"__metadata__":null}'), /__metadata__: expected '\{'/],
      ['metadata that is an entry', file(`{"__metadata__":${ok}}`, 8), /__metadata__: expected a string/],
      ['an entry that is null', file('{"a":null}'), 'bytes: tensor "a": expected \'{\' at character 5, found "null}"'],
      ['an entry that is an array', file('{"a":[]}'), /tensor "a": expected '\{'/],
      ['an entry without dtype', file('{"a":{"shape":[],"data_offsets":[0,0]}}'), /tensor "a": expected a dtype before the end of the entry/],
      ['an entry without shape', file('{"a":{"dtype":"U8","data_offsets":[0,0]}}'), /tensor "a": expected a shape before the end/],
      ['an entry without data_offsets', file('{"a":{"dtype":"U8","shape":[]}}'), /tensor "a": expected data_offsets of two integers before the end/],
      ['an empty entry', file('{"a":{}}'), /tensor "a": expected a dtype/],
      ['an unknown key in an entry', file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"strides":[1]}}'), /tensor "a": expected only dtype, shape and data_offsets, not "strides",/],
      ['a key in an entry twice', file('{"a":{"dtype":"U8","shape":[0],"shape":[0],"data_offsets":[0,0]}}'), /tensor "a": expected each name once/],
      ['__proto__ in an entry', file('{"a":{"__proto__":{"dtype":"U8"},"shape":[0],"data_offsets":[0,0]}}'), /not "__proto__"/],
      ['a dtype that is a number', file('{"a":{"dtype":5,"shape":[0],"data_offsets":[0,0]}}'), /tensor "a": expected a dtype in double quotes at character 14, found "5,/],
      ['an unknown dtype', file(`{"a":${entry('F31', '[0]', '[0,0]')}}`), 'bytes: tensor "a": expected a dtype of the format, found "F31"'],
      ['a dtype in lower case', file(`{"a":${entry('f32', '[0]', '[0,0]')}}`), /found "f32"/],
      ['a dtype named as a method of objects', file(`{"a":${entry('toString', '[0]', '[0,0]')}}`), /found "toString"/],
      ['a shape that is a number', file(`{"a":${entry('U8', '2', '[0,2]')}}`, 2), /tensor "a": expected '\[' at character 27, found "2,/],
      ['a shape that is null', file(`{"a":${entry('U8', 'null', '[0,2]')}}`, 2), /tensor "a": expected '\['/],
      ['a negative dimension', file(`{"a":${entry('U8', '[-1]', '[0,0]')}}`), /tensor "a": expected an integer from 0 to 2\^53 - 1 at character 28, found "-1\]/],
      ['two negative dimensions', file(`{"a":${entry('U8', '[-1,-2]', '[0,2]')}}`, 2), /expected an integer/],
      ['a fraction', file(`{"a":${entry('U8', '[1.5]', '[0,2]')}}`, 2), /expected an integer .* found "1\.5\]/],
      ['a whole number with a fraction', file(`{"a":${entry('U8', '[2.0]', '[0,2]')}}`, 2), /expected an integer/],
      ['an exponent', file(`{"a":${entry('U8', '[1e1]', '[0,10]')}}`, 10), /expected an integer/],
      ['a leading zero', file(`{"a":${entry('U8', '[02]', '[0,2]')}}`, 2), /expected an integer/],
      ['minus zero', file(`{"a":${entry('U8', '[-0]', '[0,0]')}}`), /expected an integer/],
      ['a dimension in quotes', file(`{"a":${entry('U8', '["2"]', '[0,2]')}}`, 2), /expected an integer/],
      ['true as a dimension', file(`{"a":${entry('U8', '[true]', '[0,1]')}}`, 1), /expected an integer/],
      ['a nested shape', file(`{"a":${entry('U8', '[[2]]', '[0,2]')}}`, 2), /expected an integer/],
      ['a dimension of 2^53', file(`{"a":${entry('U8', '[9007199254740992]', '[0,0]')}}`), /expected an integer from 0 to 2\^53 - 1/],
      ['a trailing comma in a shape', file(`{"a":${entry('U8', '[2,]', '[0,2]')}}`, 2), /expected an integer/],
      ['a comma alone', file(`{"a":${entry('U8', '[,]', '[0,2]')}}`, 2), /expected an integer/],
      ['one data offset', file(`{"a":${entry('U8', '[0]', '[0]')}}`), /tensor "a": expected data_offsets of two integers/],
      ['three data offsets', file(`{"a":${entry('U8', '[0]', '[0,0,0]')}}`), /expected data_offsets of two integers/],
      ['too many bytes for the shape', file(`{"a":${entry('F32', '[2]', '[0,12]')}}`, 12), 'bytes: tensor "a": expected 8 bytes for F32 (2), found data_offsets [0, 12]'],
      ['too few bytes for the shape', file(`{"a":${entry('F16', '[2,3]', '[0,6]')}}`, 6), 'bytes: tensor "a": expected 12 bytes for F16 (2, 3), found data_offsets [0, 6]'],
      ['bytes for no elements', file(`{"a":${entry('U8', '[0]', '[0,1]')}}`, 1), /expected 0 bytes for U8 \(0\)/],
      ['no bytes for a scalar', file(`{"a":${entry('F32', '[]', '[0,0]')}}`), /expected 4 bytes for F32 \(\)/],
      ['an end before its beginning', file(`{"a":${entry('U8', '[2]', '[2,0]')}}`, 2), /expected 2 bytes for U8 \(2\), found data_offsets \[2, 0\]/],
      ['a product past 2^53', file(`{"a":${entry('U8', '[4294967296,4294967296]', '[0,0]')}}`), 'bytes: tensor "a": expected a whole number of bytes below 2^53, found U8 (4294967296, 4294967296)'],
      ['a product that is 0 modulo 2^64', file(`{"a":${entry('F32', '[4294967296,4294967296,4]', '[0,0]')}}`), /whole number of bytes below 2\^53/],
      ['three F4', file(`{"a":${entry('F4', '[3]', '[0,2]')}}`, 2), /expected a whole number of bytes below 2\^53, found F4 \(3\)/],
      ['a first tensor that does not begin at 0', file(`{"a":${entry('U8', '[2]', '[1,3]')}}`, 3), 'bytes: tensor "a": expected data_offsets to begin at 0, found 1: bytes before it belong to no tensor'],
      ['a hole', file(`{"a":${entry('U8', '[2]', '[0,2]')},"b":${entry('U8', '[2]', '[3,5]')}}`, 5), 'bytes: tensor "b": expected data_offsets to begin at 2, found 3: bytes before it belong to no tensor'],
      ['an overlap', file(`{"a":${entry('U8', '[2]', '[0,2]')},"b":${entry('U8', '[2]', '[1,3]')}}`, 3), 'bytes: tensor "b": expected data_offsets to begin at 2, found 1: it overlaps the tensor before it'],
      ['two tensors at one place', file(`{"a":${ok},"b":${ok}}`, 8), /tensor "b": expected data_offsets to begin at 8, found 0: it overlaps/],
      ['a tensor without elements inside another', file(`{"a":${ok},"b":${entry('U8', '[0]', '[4,4]')}}`, 8), /tensor "b": expected data_offsets to begin at 8, found 4/],
      ['less data than the tensors', file(`{"a":${ok}}`, 7), 'bytes: tensor "a": expected data_offsets to end within the 7 bytes of data, found 8: the file is cut or its header is wrong'],
      ['more data than the tensors', file(`{"a":${ok}}`, 9), 'bytes: expected 8 bytes of data after the header, found 9'],
      ['data without tensors', file('{}', 1), 'bytes: expected 0 bytes of data after the header, found 1'],
      ['two files end to end', new Uint8Array([...file(`{"a":${ok}}`, 8), ...file('{}')]), /expected 8 bytes of data after the header, found 18/],
    ]
    for (const [what, bytes, message] of refused) {
      it(what, async () => {
        await assert.rejects(open(bytes), { name: 'BareclipError', code: 'INVALID_SAFETENSORS', message })
      })
    }

    it('deep nesting, without overflowing the stack', async () => {
      const header = `{"a":{"dtype":"U8","shape":${'['.repeat(1_000_000)}`
      await assert.rejects(open(file(header)), { code: 'INVALID_SAFETENSORS', message: /expected an integer/ })
    })

    it('an absurdly long name or shape with a short message', async () => {
      const name = 'x'.repeat(1_000_000)
      const shape = `[${Array(100_000).fill(2).join()}]`
      for (const header of [`{"${name}":1}`, `{"${name}":${entry('U8', shape, '[0,0]')}}`]) {
        await assert.rejects(open(file(header)), (error: Error) => error.message.length < 400)
      }
    })
  })

  it('reads a header of 30,000 tensors', async () => {
    const members = Array.from(
      { length: 30_000 },
      (_, i) => `"layer.${i}.weight":${entry('U8', '[1]', `[${i},${i + 1}]`)}`,
    )
    const { tensors } = await open(file(`{${members.join()}}`, 30_000))
    assert.equal(tensors.size, 30_000)
    assert.equal(tensors.get('layer.29999.weight')!.end - tensors.get('layer.0.weight')!.begin, 30_000)
  })
})
