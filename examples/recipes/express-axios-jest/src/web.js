const axios = require('axios')
const express = require('express')

/** The first service: it asks orders, by the name of the service. */
function createWeb() {
  const app = express()
  app.get('/cart', async (_req, res) => {
    const { data } = await axios.get('http://orders/orders')
    res.send(`web -> ${data}`)
  })
  return app
}

module.exports = { createWeb }

if (require.main === module) {
  const server = createWeb().listen(Number(process.env.PORT ?? 3000), () => {
    console.log(`listening on ${server.address().port}`)
  })
}
