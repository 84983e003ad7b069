// Asks a name server of RocketMQ whether it knows a topic, in its remoting protocol: a broker answers before that.
import { connect } from 'node:net'

const GET_ROUTE = 105

/** @returns {Promise<boolean>} `false` also when the name server does not answer */
export function knowsTopic(port, topic) {
  const header = { code: GET_ROUTE, language: 'JAVA', version: 0, opaque: 1, flag: 0, extFields: { topic } }
  const text = Buffer.from(JSON.stringify(header))
  const lengths = Buffer.alloc(8)
  lengths.writeUInt32BE(4 + text.length, 0)
  lengths.writeUInt32BE(text.length, 4)
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.concat([lengths, text])))
    socket.setTimeout(2000, () => socket.destroy())
    socket.on('error', () => {})
    socket.on('close', () => resolve(false))
    socket.once('data', answer => {
      // The frame has its length, the length of the header, and the header in JSON.
      const size = answer.readUInt32BE(4) & 0xffffff
      resolve(
        answer
          .subarray(8, 8 + size)
          .toString()
          .includes('"code":0'),
      )
      socket.destroy()
    })
  })
}
