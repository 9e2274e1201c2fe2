import { load } from '../../../../dist/index.js'

// {text, options, keep} → {data, info}
addEventListener('message', async ({ data: { text, options, keep } }) => {
  try {
    const clip = await load(undefined, options)
    const { data } = await clip.encodeText(text)
    postMessage({ data, info: clip.info })
    if (!keep) clip.dispose()
  } catch (error) {
    postMessage({ error: String(error) })
  }
})
