/** The interceptors of undici: retries, redirects to a third party. */
export default {
  library: 'undici7',
  use: 'retry and redirect interceptors, 2 connections',
  explicit: true,
  answer({ path, times }, urls) {
    if (times === 1) return { status: 503, headers: { 'retry-after': '0' }, body: 'busy' }
    return path.includes('moved') ? undefined : { status: 302, headers: { Location: `${urls.third}${path}?moved` } }
  },
  async service({ require, laneway, targetOf, onClose }) {
    const { Agent, interceptors, request } = require('undici7')
    const agent = new Agent({ connections: 2 })
    const own = [interceptors.redirect({ maxRedirections: 2 }), interceptors.retry({ minTimeout: 1 })]
    const dispatcher = laneway?.dispatcher(agent, ...own) ?? agent.compose(...own)
    onClose(() => agent.close())
    return async (req, res) => res.end(await (await request(`${targetOf(req)}${req.url}`, { dispatcher })).body.text())
  },
}
