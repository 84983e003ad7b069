/** An answer that sends the client to a third party. */
export default {
  library: 'node-fetch3',
  use: 'redirect to a third party',
  explicit: true,
  answer({ path }, urls) {
    if (path.startsWith('/moved')) return undefined
    return { status: 302, headers: { Location: `${urls.third}/moved${path}` } }
  },
  async service({ agent, targetOf }) {
    const { default: fetch } = await import('node-fetch3')
    const pool = agent()
    return async (req, res) => {
      const answer = await fetch(`${targetOf(req)}${req.url}`, { agent: pool })
      res.end(await answer.text())
    }
  },
}
