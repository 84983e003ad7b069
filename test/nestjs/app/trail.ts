import { AsyncLocalStorage } from 'node:async_hooks'
import { currentLane } from '@laneway/core'
import {
  type CallHandler,
  type CanActivate,
  Catch,
  type ExecutionContext,
  HttpException,
  Injectable,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common'
import { BaseExceptionFilter } from '@nestjs/core'
import { mergeMap } from 'rxjs'

const trail = new AsyncLocalStorage<string[]>()

export const here = (name: string) => `${name}:${currentLane()?.header ?? 'none'}`
export const steps = () => trail.getStore() ?? []

async function note(name: string) {
  await null
  trail.getStore()?.push(here(name))
}

export function middleware(_request: unknown, _response: unknown, next: () => void) {
  trail.run([here('middleware')], next)
}

@Injectable()
export class LaneGuard implements CanActivate {
  async canActivate() {
    await note('guard')
    return true
  }
}

@Injectable()
export class LaneInterceptor implements NestInterceptor {
  async intercept(_context: ExecutionContext, next: CallHandler) {
    await note('interceptor')
    return next.handle().pipe(mergeMap(async (value: string[]) => [...value, here('after')]))
  }
}

@Injectable()
export class LanePipe implements PipeTransform {
  async transform(value: unknown) {
    await note('pipe')
    return value
  }
}

@Catch(HttpException)
export class LaneFilter extends BaseExceptionFilter<HttpException> {
  catch(_error: HttpException, host: Parameters<BaseExceptionFilter['catch']>[1]) {
    super.catch(new HttpException([here('filter'), ...steps()], 418), host)
  }
}
