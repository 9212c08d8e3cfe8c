// 简体中文, the language the pages are written in first. Its shape is the shape of every other language.
import { courses } from './zh-CN/courses'
import { library } from './zh-CN/library'
import { live } from './zh-CN/live'
import { network } from './zh-CN/network'
import { offices } from './zh-CN/offices'
import { problems } from './zh-CN/problems'
import { review } from './zh-CN/review'
import { shell } from './zh-CN/shell'
import { timetables } from './zh-CN/timetables'

export const zhCN = {
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

export type Messages = typeof zhCN
