/** A test of an app without a port of its own: supertest asks it, and the app asks another service. */
export default {
  library: 'supertest',
  use: 'asks an app that asks a service',
  explicit: true,
  async service({ require, laneway, agent, urls }) {
    const express = require('express')
    const request = require('supertest')
    const axios = require('axios')
    const pool = agent()
    const app = express()
    if (laneway !== undefined) app.use(laneway.express())
    app.get('/:to/:id', async (req, res) => {
      const { data } = await axios.get(`${urls[req.params.to]}/${req.params.id}`, { httpAgent: pool })
      res.json(data)
    })
    return async (req, res) => {
      const { 'x-to': to, 'x-mse-tag': tag } = req.headers
      const ask = request(app).get(`/${to}${req.url}`)
      const { status, text } = await (tag === undefined ? ask : ask.set('x-mse-tag', tag))
      res.writeHead(status).end(text)
    }
  },
}
