import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { here } from './trail.js'

@WebSocketGateway()
export class LaneGateway {
  @SubscribeMessage('lane')
  async lane() {
    await null
    return { event: 'lane', data: here('gateway') }
  }
}
