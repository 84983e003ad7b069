/** Redirects that undici 6 follows by itself: to the same service, and to a third party. */
export default {
  library: 'undici6',
  use: 'request with maxRedirections',
  explicit: true,
  answer({ path }, urls) {
    if (path.includes('moved')) return undefined
    const id = Number(path.slice(4))
    return { status: 302, headers: { Location: `${id % 2 === 0 ? '' : urls.third}${path}?moved` } }
  },
  async service({ require, laneway, targetOf, onClose }) {
    const { Agent, request } = require('undici6')
    const agent = new Agent()
    const dispatcher = laneway?.dispatcher(agent) ?? agent
    onClose(() => agent.close())
    return async (req, res) => {
      const { body } = await request(`${targetOf(req)}${req.url}`, { dispatcher, maxRedirections: 2 })
      res.end(await body.text())
    }
  },
}
