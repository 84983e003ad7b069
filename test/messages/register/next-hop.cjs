// The lane of the code that calls, as the next service hears it: by the header of a request.
const { createServer, get } = require('node:http')

const next = createServer(({ headers }, response) => {
  const trace = headers['x-laneway-trace'] === undefined ? '' : ' traced'
  response.end(`${headers['x-mse-tag'] ?? 'none'}${trace}`)
})
const port = new Promise(resolve => next.listen(0, '127.0.0.1', () => resolve(next.address().port)))

exports.laneHeaderHere = async () => {
  const options = { host: '127.0.0.1', port: await port }
  return new Promise((resolve, reject) => {
    get(options, async response => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve(text)
    }).on('error', reject)
  })
}
