import type { Socket } from 'node:net'

/** One request on a connection that has no other under way. */
export function exchange(socket: Socket, head: string): Promise<string> {
  return new Promise((resolve, reject) => {
    if (socket.destroyed) {
      reject(new Error('the connection was closed'))
      return
    }
    let text = ''
    const end = (error?: Error): void => {
      socket.off('data', read)
      socket.off('error', end)
      socket.off('close', end)
      if (error !== undefined) reject(error)
    }
    const read = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      const body = text.indexOf('\r\n\r\n') + 4
      const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
      if (body < 4 || length === undefined || text.length < body + Number(length)) return
      end()
      if (text.startsWith('HTTP/1.1 200')) resolve(text.slice(body))
      else reject(new Error(`answered ${text.slice(0, 200)}`))
    }
    socket.on('data', read)
    socket.on('error', end)
    socket.on('close', end)
    socket.write(head)
  })
}
