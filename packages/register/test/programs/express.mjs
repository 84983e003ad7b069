import express from 'express'

const app = express()
app.use(express.json())
app.all('/', async (_req, res) => {
  const texts = await Promise.all([fetch('http://svc/'), fetch('http://svc/')].map(async one => (await one).text()))
  res.send(texts.join(' '))
})
const server = app.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
