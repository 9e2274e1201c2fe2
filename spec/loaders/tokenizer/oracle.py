"""Writes fixtures/rust-tables.jsonl and fixtures/rust-cases.jsonl with the Rust tokenizer (pip install tokenizers==0.23.2).

    python3 spec/loaders/tokenizer/oracle.py

rust-tables.jsonl: what the normalizer does to each code point, by probing all of them; completes
spec/fixtures/tokenizer/unicode-tables.json. rust-cases.jsonl: ids of awkward texts under several small tokenizers whose
vocabularies hold the awkward characters themselves, so that a wrong order or a wrong case shows in the ids.
"""

import json
import random
from pathlib import Path

import tokenizers
from tokenizers import Tokenizer, normalizers

HERE = Path(__file__).parent / 'fixtures'
SCALARS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
NFD = normalizers.NFD().normalize_str
LOWER = normalizers.BertNormalizer(
    clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=True
).normalize_str
STRIP = normalizers.BertNormalizer(
    clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False
).normalize_str

# One mark of each canonical combining class that the Rust tokenizer knows (Unicode 9).
REFERENCES = {
    1: 0x334, 7: 0x93C, 8: 0x3099, 9: 0x94D, 10: 0x5B0, 11: 0x5B1, 12: 0x5B2, 13: 0x5B3, 14: 0x5B4, 15: 0x5B5,
    16: 0x5B6, 17: 0x5B7, 18: 0x5B8, 19: 0x5B9, 20: 0x5BB, 21: 0x5BC, 22: 0x5BD, 23: 0x5BF, 24: 0x5C1, 25: 0x5C2,
    26: 0xFB1E, 27: 0x64B, 28: 0x64C, 29: 0x64D, 30: 0x64E, 31: 0x64F, 32: 0x650, 33: 0x651, 34: 0x652, 35: 0x670,
    36: 0x711, 84: 0xC55, 91: 0xC56, 103: 0xE38, 107: 0xE48, 118: 0xEB8, 122: 0xEC8, 129: 0xF71, 130: 0xF72,
    132: 0xF74, 202: 0x321, 214: 0x1DCE, 216: 0x1D165, 218: 0x302A, 220: 0x316, 222: 0x59A, 224: 0x302E, 226: 0x1D16D,
    228: 0x5AE, 230: 0x300, 232: 0x315, 233: 0x35C, 234: 0x35D, 240: 0x345,
}


def ranges(points):
    found = []
    for point in points:
        if found and found[-1][1] == point - 1:
            found[-1][1] = point
        else:
            found.append([point, point])
    return found


def class_runs(classes):
    runs = []
    for point, combining in sorted(classes.items()):
        if runs and runs[-1][1] == point - 1 and runs[-1][2] == combining:
            runs[-1][1] = point
        else:
            runs.append([point, point, combining])
    return runs


def combining_class(point):
    """By its order with one mark of each class; 0 if it moves past none."""
    mark = chr(point)

    def moves(first, second):
        return NFD(first + second) != first + second

    if not moves(mark, chr(0x334)) and not moves(chr(0x345), mark):
        return 0
    same = [
        k for k, reference in REFERENCES.items()
        if not moves(mark, chr(reference)) and not moves(chr(reference), mark)
    ]
    assert len(same) == 1, hex(point)
    return same[0]


def probe():
    decomposing, removed, lower, classes = [], [], [], {}
    for point in SCALARS:
        text = chr(point)
        if NFD(text) != text:
            decomposing.append(point)
        else:
            if STRIP(text) == '':
                removed.append(point)
            combining = combining_class(point)
            if combining:
                classes[point] = combining
        lowered = LOWER(text)
        if lowered != text:
            lower.append([point, *map(ord, lowered)])
    return decomposing, removed, lower, classes


DECOMPOSING, REMOVED, LOWERED, CLASSES = probe()
KEPT = sorted(set(CLASSES) - set(REMOVED))
BREAKS = sorted(set(REMOVED) - set(CLASSES))


def write(name, records):
    lines = (json.dumps(record, separators=(',', ':')) + '\n' for record in records)
    (HERE / name).write_text(''.join(lines))


write('rust-tables.jsonl', [
    {'source': f'tokenizers {tokenizers.__version__}'},
    {'decomposing': ranges(DECOMPOSING)},
    {'combining': class_runs(CLASSES)},
    {'lower': LOWERED},
])

random.seed(20240605)
LETTERS = list('aABbzZiI019') + [chr(c) for c in (
    0xC0, 0xE9, 0x130, 0x131, 0x149, 0x17F, 0x1C5, 0x1E9E, 0xDF, 0x3A3, 0x3C2, 0x3C3, 0x390, 0x1F88, 0x1FFC, 0x10A0,
    0x13A0, 0xAB70, 0x1C90, 0xFB01, 0x2160, 0x24B6, 0x10400, 0x1E900, 0x10C80, 0x10D50, 0xA7CB, 0xA7DC, 0x16EA0, 0x2C2F,
    0x212A, 0x212B, 0x2126, 0x1D15E, 0x105C9, 0x11938, 0x16121)]
SPECIALS = ['[CLS]', '[SEP]', '[PAD]', '[UNK]', '[MASK]', '[', ']', 'C', 'LS', '[C', 'LS]', '[CLS', 'SEP]', '[sep]', '#', '##']
SPACES = [' ', '\t', '\n', '\r', '\v', '\f', '\x1c', '\x85', '\xa0', '\u1680', '\u180e', '\u2003', '\u200b', '\u2028',
          '\u202f', '\u3000', '\ufeff']
CONTROLS = ['\0', '\x07', '\x7f', '\xad', '\u0600', '\u200d', '\ue000', '\ufffd', '\U000e0001', '\U0010fffd', '\u0378']
PUNCTUATION = list('!.-_$+<=^`|~') + [chr(c) for c in (0xA1, 0xB7, 0xBF, 0x37E, 0x387, 0x2014, 0x2030, 0x3002, 0xFF01,
                                                       0x1FEF, 0x2260, 0x226F, 0x2E5D, 0x10EAD, 0x61D, 0xA9)]
CJK = [chr(c) for c in (0x4E00, 0x9FFF, 0x3400, 0xF900, 0xFA10, 0xFAD9, 0x20000, 0x2B81D, 0x2B820, 0x2B91F, 0x2F800,
                        0x2FA1D, 0x30000, 0x3007, 0x3042, 0x30AC, 0xFF21)]
HANGUL = [chr(c) for c in (0xAC00, 0xAC01, 0xB098, 0xD7A3, 0x1100, 0x1161, 0x11A8, 0x3131, 0xFFA1)]
MARKS = [chr(random.choice(REMOVED)) for _ in range(40)] + [chr(c) for c in BREAKS[:3] + [0x34F, 0x200D]]
KEPT_MARKS = [chr(c) for c in KEPT]
NEWER_MARKS = [chr(c) for c in (0x898, 0x899, 0x8D3, 0x9FE, 0xC3C, 0x1AC1, 0x1DF9, 0x10EAB, 0x1E130, 0x1E4EE, 0x113CE)]
EMOJI = ['\U0001f600', '\U0001f44d\U0001f3fd', '\u2764\ufe0f', '\U0001f468\u200d\U0001f469']
GROUPS = [LETTERS, LETTERS, SPECIALS, SPACES, CONTROLS, PUNCTUATION, CJK, HANGUL, MARKS, KEPT_MARKS, KEPT_MARKS,
          NEWER_MARKS, EMOJI]


def text():
    if random.random() < 0.3:  # one long run of marks
        run = [random.choice(random.choice([MARKS, KEPT_MARKS, KEPT_MARKS, NEWER_MARKS])) for _ in range(random.randrange(40))]
        return random.choice(LETTERS) + ''.join(run)
    parts = [random.choice(random.choice(GROUPS)) for _ in range(random.randrange(1, 14))]
    return ''.join(parts)


def added(id, content):
    return {'id': id, 'content': content, 'single_word': False, 'lstrip': False, 'rstrip': False, 'normalized': False,
            'special': True}


def small(prefix='##', limit=100, bert_processing=False, extra=(), **normalizer):
    """A tokenizer whose words are single characters: every one that a text of ours can come to."""
    specials = ['[PAD]', '[SEP]', '[MASK]', '[UNK]', '[CLS]']
    points = set()
    for group in GROUPS:
        for entry in group:
            for point in entry:
                points.update(point, NFD(point), LOWER(point), LOWER(NFD(point)))
    points = sorted(points)
    words = specials + points + ([prefix + point for point in points] if prefix else []) + ['ab', prefix + 'ab']
    vocabulary = {word: id for id, word in enumerate(dict.fromkeys(words))}
    tokens = specials + list(extra)
    for token in extra:
        vocabulary.setdefault(token, len(vocabulary))
    cls, sep = vocabulary['[CLS]'], vocabulary['[SEP]']
    if bert_processing:
        post = {'type': 'BertProcessing', 'sep': ['[SEP]', sep], 'cls': ['[CLS]', cls]}
    else:
        single = [{'SpecialToken': {'id': '[CLS]', 'type_id': 0}}, {'Sequence': {'id': 'A', 'type_id': 0}},
                  {'SpecialToken': {'id': '[SEP]', 'type_id': 0}}]
        post = {'type': 'TemplateProcessing', 'single': single,
                'pair': single + [{'Sequence': {'id': 'B', 'type_id': 1}}, {'SpecialToken': {'id': '[SEP]', 'type_id': 1}}],
                'special_tokens': {'[CLS]': {'id': '[CLS]', 'ids': [cls], 'tokens': ['[CLS]']},
                                   '[SEP]': {'id': '[SEP]', 'ids': [sep], 'tokens': ['[SEP]']}}}
    options = {'clean_text': True, 'handle_chinese_chars': True, 'strip_accents': None, 'lowercase': True, **normalizer}
    return {
        'version': '1.0', 'truncation': None, 'padding': None,
        'added_tokens': sorted((added(vocabulary[token], token) for token in tokens), key=lambda token: token['id']),
        'normalizer': {'type': 'BertNormalizer', **options}, 'pre_tokenizer': {'type': 'BertPreTokenizer'},
        'post_processor': post, 'decoder': {'type': 'WordPiece', 'prefix': '##', 'cleanup': True},
        'model': {'type': 'WordPiece', 'unk_token': '[UNK]', 'continuing_subword_prefix': prefix,
                  'max_input_chars_per_word': limit, 'vocab': vocabulary},
    }


TOKENIZERS = [
    ('uncased', small(), 500),
    ('cased', small(lowercase=False), 100),
    ('lower case, accents kept', small(strip_accents=False), 150),
    ('cased, accents stripped', small(lowercase=False, strip_accents=True), 100),
    ('text not cleaned', small(clean_text=False, bert_processing=True), 200),
    ('ideographs not padded', small(handle_chinese_chars=False), 100),
    ('words of at most 5', small(limit=5), 150),
    ('no prefix', small(prefix=''), 60),
    ('another prefix', small(prefix='z'), 60),
    ('overlapping added tokens', small(extra=['[C', '[CLS][SEP]', 'a', 'ab', '\u4e00', '\U0001f600', '\u0301', ' ']), 200),
]
cases = []
for name, description, count in TOKENIZERS:
    rust = Tokenizer.from_str(json.dumps(description))
    texts = sorted({text() for _ in range(count)})
    cases.append({'name': name, 'tokenizer': description, 'cases': [[t, rust.encode(t).ids] for t in texts]})
write('rust-cases.jsonl', cases)
