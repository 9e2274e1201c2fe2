const colours = ['red', 'yellow', 'black', 'white', 'cyan', 'brown']
const shapes = ['circle', 'star', 'arrow', 'moon', 'rectangle', 'hexagon']
const numbers = ['two', 'three', 'four']
const groups = ['white stars', 'pink hearts', 'green diamonds']
const pairs = [
  'a blue square to the left of a green triangle',
  'a red square to the left of a yellow triangle',
  'a blue circle to the right of a red circle',
  'a black star to the right of a white moon',
  'a purple cross above an orange ring',
  'a brown cross above a pink heart',
]

/** What the pictures are told apart by. One of them is right for each picture, the others are near misses. */
export function descriptions(): string[] {
  return [
    ...colours.flatMap((colour) => shapes.map((shape) => `a ${colour} ${shape}`)),
    ...numbers.flatMap((number) => groups.map((group) => `${number} ${group}`)),
    ...pairs,
  ]
}

/** What is searched for: none is the description of a picture word for word. */
export const queries = [
  'stars',
  'the moon',
  'a large red circle',
  'three hearts',
  'a cross above a ring',
  'something green',
]
