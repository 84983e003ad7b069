import { get } from 'node:http'

/** What a GET answers. */
export function call(url, agent) {
  return new Promise((resolve, reject) => {
    get(url, { agent }, answer => {
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', chunk => (body += chunk))
      answer.on('end', () => resolve(body))
    }).on('error', reject)
  })
}
