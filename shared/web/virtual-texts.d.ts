declare module "virtual:texts/zh-CN" {
  const catalogue: Readonly<Record<string, string>>;
  export default catalogue;
}
declare module "virtual:texts/zh-TW" {
  const catalogue: Readonly<Record<string, string>>;
  export default catalogue;
}
declare module "virtual:texts/en" {
  const catalogue: Readonly<Record<string, string>>;
  export default catalogue;
}
