/** The fetch of Node itself. */
export default {
  library: 'node:fetch',
  use: 'one call after another',
  explicit: true,
  async service({ laneway, targetOf }) {
    const ask = laneway?.fetch ?? fetch
    return async (req, res) => {
      const url = `${targetOf(req)}${req.url}`
      const first = await (await ask(url)).text()
      res.end(await (await ask(url, { method: 'POST', body: first })).text())
    }
  },
}
