/** A service that asks another with axios and answers with what it got. */
export default {
  library: 'axios',
  use: 'get',
  explicit: true,
  async service({ laneway, targetOf }) {
    const { default: axios } = await import('axios')
    const client = axios.create({ httpAgent: laneway?.agent })
    return async (req, res) => {
      const { data } = await client.get(`${targetOf(req)}${req.url}`)
      res.end(JSON.stringify(data))
    }
  },
}
