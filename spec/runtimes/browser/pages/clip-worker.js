import { load } from '../../../../dist/index.js'

// {text, options} → {data, info}
addEventListener('message', async ({ data: { text, options } }) => {
  try {
    const clip = await load(undefined, options)
    const { data } = await clip.encodeText(text)
    postMessage({ data, info: clip.info })
    clip.dispose()
  } catch (error) {
    postMessage({ error: String(error) })
  }
})
