/** The fetch of Node itself. */
export default {
  library: 'undici7',
  use: "Node's own fetch beside it",
  explicit: true,
  async service({ laneway, targetOf }) {
    const ask = laneway?.fetch ?? fetch
    return async (req, res) => res.end(await (await ask(`${targetOf(req)}${req.url}`)).text())
  },
}
