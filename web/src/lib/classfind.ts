import type { CaseClass, Text } from './types';

/**
 * Finding a case class by the words people use. Each row: what a person may write, and what titles of classes contain then.
 * Own list, made for the class lists that Gezhi ships; a class is always found by its own title and code, too.
 */
const COMMON: [string[], string[]][] = [
  [['垃圾', '脏', '臭', 'rubbish', 'trash', 'garbage', 'litter', 'waste'], ['垃圾', '不洁', '脏乱', '渣土', 'refuse', 'dirty', 'litter']],
  [['井盖', '下水道盖', 'manhole', 'drain cover'], ['井盖', 'manhole']],
  [['下水道', '堵', '积水', '污水', '冒水', 'sewer', 'drain', 'flood', 'blocked'], ['积水', '污水', '雨水', '排水', 'sewage', 'drain', 'water']],
  [['路灯', '灯不亮', '太黑', 'street light', 'lamp', 'dark'], ['路灯', '照明', 'lamp', 'light']],
  [['坑', '路面', '破路', '塌', '裂', 'pothole', 'hole', 'crack', 'road'], ['道路破损', '路面塌陷', '塌陷', '道路', 'damaged road', 'road', 'collapse']],
  [['停车', '乱停', '共享单车', '单车', 'parking', 'bike', 'bicycle'], ['停车', '停放', '非机动车', '机动车', 'parking', 'vehicle']],
  [['摆摊', '小贩', '占道', '流动摊', 'stall', 'vendor', 'street trade'], ['占道', '经营', '游商', 'trading', 'vendor', 'occup']],
  [['广告', '牛皮癣', '贴', '招牌', 'poster', 'advert', 'sign'], ['广告', '招牌', '标语', 'advert', 'poster', 'sign']],
  [['树', '绿化', '花', '草', 'tree', 'plant', 'grass', 'green'], ['树', '绿', 'tree', 'green', 'plant']],
  [['噪音', '吵', '施工', '工地', '扰民', 'noise', 'loud', 'building site'], ['噪', '扰民', '施工', 'noise', 'construction']],
  [['邻居', '吵架', '楼上', '漏水', '纠纷', '矛盾', '调解', 'neighbour', 'neighbor', 'quarrel', 'dispute', 'leak'], ['纠纷', '邻里', 'dispute', 'neighbour']],
  [['工资', '欠薪', '讨薪', 'wages', 'pay'], ['劳动', '劳资', '工资', 'labour', 'wage']],
  [['狗', '猫', '鸡', '动物', 'dog', 'animal', 'cat', 'chicken'], ['动物', '家禽', '犬', 'animal', 'poultry', 'dog']],
  [['烟', '油烟', '烧', '火', 'smoke', 'fire', 'burn', 'fumes'], ['油烟', '焚烧', '火', '烟', 'smoke', 'burn', 'fume', 'fire']],
  [['违建', '搭建', '私搭', 'illegal building', 'shed'], ['私搭', '违法建', '建筑', 'building']],
  [['红绿灯', '交通灯', '信号灯', 'traffic light'], ['信号灯', '交通', 'traffic']],
  [['护栏', '栏杆', '隔离', 'railing', 'barrier', 'fence'], ['护栏', '隔离', '栏', 'rail', 'barrier']],
  [['消防', '消火栓', '通道', 'hydrant', 'fire exit'], ['消防', '消火栓', 'hydrant', 'fire']],
  [['厕所', '公厕', 'toilet'], ['公厕', '厕', 'toilet']],
  [['车', '僵尸车', '废车', 'abandoned car'], ['废弃车辆', '车辆', 'vehicle']],
  [['电线', '电缆', '线掉', '水管', '煤气', '燃气', 'wire', 'cable', 'gas', 'pipe'], ['电', '燃气', '水', '线', 'cable', 'gas', 'power', 'water']],
];

function fold(s: string): string {
  return s.normalize('NFKC').toLowerCase().trim();
}
function haystack(c: CaseClass): { title: string; rest: string } {
  return { title: fold(`${c.title.zh} ${c.title.en}`), rest: fold(`${c.major.zh} ${c.major.en} ${c.id} ${c.code}`) };
}

/** Classes that fit, best first: own title, then the major class and code, then by common words. */
export function findClasses(classes: readonly CaseClass[], query: string): CaseClass[] {
  const q = fold(query);
  if (!q) return [];
  const words = q.split(/[\s,，、。]+/).filter(Boolean);
  const meant: { word: string; keys: string[] }[] = [];
  for (const [said, keys] of COMMON) {
    const hit = said.find((s) => q.includes(s) || (q.length > 1 && s.startsWith(q)));
    if (hit) meant.push({ word: hit, keys });
  }
  const scored: { c: CaseClass; score: number; i: number }[] = [];
  classes.forEach((c, i) => {
    const { title, rest } = haystack(c);
    let score = 0;
    // What happened comes before what stands there: "rubbish" means the rubbish, seldom the rubbish room.
    if (title.includes(q)) score = (title.startsWith(q) ? 94 : 90) + (c.kind === 'component' ? 0 : 6);
    else if (words.length > 1 && words.every((w) => title.includes(w) || rest.includes(w))) score = 80;
    else if (rest.includes(q)) score = 60;
    for (const m of meant) {
      const k = m.keys.findIndex((key) => title.includes(key));
      if (k >= 0) score = Math.max(score, 50 - k);
    }
    if (score) scored.push({ c, score, i });
  });
  return scored.sort((a, b) => b.score - a.score || a.i - b.i).map((s) => s.c);
}

export interface ClassGroup {
  id: string;
  kind: string;
  title: Text;
  classes: CaseClass[];
}
const KINDS = ['event', 'matter', 'dispute', 'component'];
/** Major groups in the order of the list, kinds that people report most first. */
export function groupClasses(classes: readonly CaseClass[]): ClassGroup[] {
  const groups = new Map<string, ClassGroup>();
  for (const c of classes) {
    const id = `${c.kind}-${c.major.code}`;
    let g = groups.get(id);
    if (!g) {
      g = { id, kind: c.kind, title: { en: c.major.en || c.major.zh, zh: c.major.zh || c.major.en }, classes: [] };
      groups.set(id, g);
    }
    g.classes.push(c);
  }
  const rank = (k: string): number => (KINDS.indexOf(k) < 0 ? KINDS.length : KINDS.indexOf(k));
  return Array.from(groups.values()).sort((a, b) => rank(a.kind) - rank(b.kind));
}
