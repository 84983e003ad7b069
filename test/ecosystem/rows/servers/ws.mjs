import { webSocketRow } from '../../shapes/web-socket.mjs'

export default [
  webSocketRow({ variant: 'plain', use: 'messages' }),
  webSocketRow({ variant: 'deflate', use: 'messages, compressed', options: { perMessageDeflate: { threshold: 100 } } }),
]
