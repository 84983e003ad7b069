/** A service that asks another with got, with a hook and its retries. */
export default {
  library: 'got14',
  use: 'json, with a hook',
  explicit: true,
  async service({ laneway, targetOf }) {
    const { got } = await import('got14')
    const client = got.extend({
      ...(laneway && { agent: { http: laneway.agent } }),
      hooks: {
        beforeRequest: [
          options => {
            options.headers['x-client'] = 'b'
          },
        ],
      },
    })
    return async (req, res) => res.end(JSON.stringify(await client(`${targetOf(req)}${req.url}`).json()))
  },
}
