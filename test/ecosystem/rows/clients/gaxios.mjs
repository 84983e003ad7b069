/** The client below the SDKs of Google. */
export default {
  library: 'gaxios',
  full: true,
  use: 'request, with its retries',
  explicit: true,
  answer: ({ times }) => (times === 1 ? { status: 503, body: 'busy' } : undefined),
  async service({ require, agent, targetOf }) {
    const { Gaxios } = require('gaxios')
    const client = new Gaxios({ retryConfig: { retry: 2, retryDelay: 1 }, agent: agent() })
    return async (req, res) => {
      const { data } = await client.request({ url: `${targetOf(req)}${req.url}`, responseType: 'json' })
      res.end(JSON.stringify(data))
    }
  },
}
