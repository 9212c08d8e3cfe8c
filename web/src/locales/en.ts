// English. The type holds it to the same keys as the Chinese.
import { courses } from './en/courses'
import { library } from './en/library'
import { live } from './en/live'
import { network } from './en/network'
import { offices } from './en/offices'
import { problems } from './en/problems'
import { review } from './en/review'
import { shell } from './en/shell'
import { timetables } from './en/timetables'
import type { Messages } from './zh-CN'

export const en: Messages = {
  ...shell,
  ...live,
  ...library,
  ...courses,
  ...timetables,
  ...offices,
  ...network,
  ...review,
  problems,
}
