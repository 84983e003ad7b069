/** A chat that is streamed on as it comes, and a question after its end. */
export default {
  library: 'openai',
  use: 'chat stream, then a question',
  explicit: true,
  ignore: ['x-stainless-retry-count'],
  answer({ path }) {
    if (!path.endsWith('/completions')) return undefined
    const piece = content => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`
    return {
      headers: { 'content-type': 'text/event-stream' },
      body: [piece('good'), piece(' day'), 'data: [DONE]\n\n'],
    }
  },
  async service({ laneway, targetOf }) {
    const { default: OpenAI } = await import('openai')
    const ask = laneway?.fetch ?? fetch
    return async (req, res) => {
      const target = targetOf(req)
      const client = new OpenAI({ apiKey: 'none', baseURL: `${target}/v1`, ...(laneway && { fetch: laneway.fetch }) })
      const messages = [{ role: 'user', content: req.url }]
      const stream = await client.chat.completions.create({ model: 'local', messages, stream: true })
      for await (const { choices } of stream) res.write(choices[0]?.delta?.content ?? '')
      res.end(await (await ask(`${target}${req.url}`)).text())
    }
  },
}
