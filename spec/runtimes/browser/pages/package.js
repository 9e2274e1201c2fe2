import * as bareclip from '../../../../dist/index.js'

globalThis.bareclip = bareclip
