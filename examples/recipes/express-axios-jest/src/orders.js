const express = require('express')

const app = express()
app.get('/orders', (_req, res) => res.send(`orders ${process.env.VERSION}`))
const server = app.listen(Number(process.env.PORT), '127.0.0.1', () => {
  console.log(`listening on ${server.address().port}`)
})
