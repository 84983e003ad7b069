/** Questions with the retries and hooks of ky. */
export default {
  library: 'ky',
  full: true,
  use: 'json, with retries and a hook',
  explicit: true,
  answer: ({ times }) => (times === 1 ? { status: 503, body: 'busy' } : undefined),
  async service({ laneway, targetOf }) {
    const { default: ky } = await import('ky')
    const client = ky.create({
      ...(laneway && { fetch: laneway.fetch }),
      retry: { limit: 2, delay: () => 1 },
      hooks: { beforeRequest: [request => request.headers.set('x-client', 'b')] },
    })
    return async (req, res) => res.end(JSON.stringify(await client(`${targetOf(req)}${req.url}`).json()))
  },
}
