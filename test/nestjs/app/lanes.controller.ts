import { channels, type Lane } from '@laneway/core'
import { CurrentLane, LaneClients, LanewayHealth } from '@laneway/nestjs'
import { HttpService } from '@nestjs/axios'
import {
  Controller,
  Get,
  HttpException,
  Inject,
  Optional,
  Param,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common'
import { ClientKafka, ClientProxy, EventPattern, MessagePattern, Payload } from '@nestjs/microservices'
import { HealthCheck, HealthCheckService } from '@nestjs/terminus'
import { firstValueFrom, map } from 'rxjs'
import { ORDER, PAID } from './settings.js'
import { here, LaneFilter, LaneGuard, LaneInterceptor, LanePipe, steps } from './trail.js'

let decided = 0
channels.ingress.subscribe(() => decided++)
const paid: string[] = []

@Controller('lanes')
export class LanesController {
  constructor(
    private readonly http: HttpService,
    private readonly clients: LaneClients,
    private readonly health: HealthCheckService,
    private readonly laneway: LanewayHealth,
    @Optional() @Inject('ORDERS') private readonly orders: ClientProxy,
  ) {}

  async onModuleInit() {
    if (!(this.orders instanceof ClientKafka)) return
    this.orders.subscribeToResponseOf(ORDER)
    await this.orders.connect()
  }

  @Get('seen/:id')
  @UseGuards(LaneGuard)
  @UseInterceptors(LaneInterceptor)
  seen(@Param('id', LanePipe) _id: string, @CurrentLane() lane: Lane | undefined) {
    return [`parameter:${lane?.header ?? 'none'}`, ...steps(), here('handler')]
  }

  @Get('fails')
  @UseGuards(LaneGuard)
  @UseFilters(LaneFilter)
  fails() {
    throw new HttpException('no', 400)
  }

  @Get('calls')
  async calls() {
    const { data } = await firstValueFrom(this.http.get<string>('http://sc-b/http-service'))
    const answer = await this.clients.fetch('http://sc-b/fetch')
    return [data, await answer.text()]
  }

  @Get('orders')
  async order() {
    return firstValueFrom(this.orders.send(ORDER, {}).pipe(map((lane: string) => [lane, here('pipe')])))
  }

  @Get('pay/:id')
  async pay(@Param('id') id: string) {
    await firstValueFrom(this.orders.emit(PAID, id), { defaultValue: undefined })
    return []
  }

  @Get('paid')
  paid() {
    return paid
  }

  @MessagePattern(ORDER)
  onOrder(@CurrentLane() lane: Lane | undefined) {
    return `parameter:${lane?.header ?? 'none'} ${here('handler')}`
  }

  @EventPattern(PAID)
  onPaid(@Payload() id: unknown) {
    paid.push(`${id} ${here('handler')}`)
  }

  /** How often a lane was decided since the last time, this request included. */
  @Get('decided')
  decided() {
    const count = decided
    decided = 0
    return count
  }

  @Get('health')
  @HealthCheck()
  check() {
    return this.health.check([() => this.laneway.isHealthy()])
  }
}
