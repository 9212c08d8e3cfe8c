export const offices = {
  duties: {
    title: '您的工作',
    system_administrator: {
      note: '账号在服务器的命令行中管理：',
      add: '建账号',
      password: '重设密码并解锁',
      list: '查账号与角色',
      doctor: '检查系统是否正常',
    },
    security_administrator: {
      note: '角色与停用在服务器的命令行或接口中管理：',
      role: '授予角色（收回加 --remove）',
      list: '查账号与角色',
      disable: '停用账号（恢复用 enable）',
    },
    auditor: {
      note: '您可以查看全部操作记录和清除凭证，不能查看课堂内容。',
    },
  },
  audit: {
    title: '审计日志',
    note: '谁在何时、从何处、对什么做了什么。最新的在前，任何人都不能修改。',
    action: '操作',
    item_kind: '对象类型',
    item_id: '对象编号',
    search: '筛选',
    clear: '清除条件',
    at: '时间',
    actor: '操作者',
    item: '对象',
    details: '详情',
    empty: '没有符合条件的记录。',
    actors: { account: '账号', system: '系统', encoder: '编码器' },
    of_item: '只看此对象',
  },
}
