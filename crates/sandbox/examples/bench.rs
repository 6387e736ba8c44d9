use tokio::io::{AsyncReadExt, AsyncWriteExt};
#[tokio::main(flavor="multi_thread", worker_threads=2)]
async fn main(){
 let s=std::thread::spawn(||{ let rt=tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
   let s=rt.block_on(sandbox::Sandbox::start(sandbox::Options{strict_rate:false,journal:std::env::var("JOURNAL").is_ok(),..Default::default()})).unwrap();
   let a=s.announcement(); (rt,s,a)}).join().unwrap();
 let (rt,sb,a)=s; let h=std::thread::spawn(move||{rt.block_on(async{tokio::time::sleep(std::time::Duration::from_secs(7)).await}); 
   // cpu time of this thread
   let st=std::fs::read_to_string("/proc/thread-self/stat").unwrap(); let f:Vec<&str>=st.split(' ').collect(); println!("server cpu ticks {} {}",f[13],f[14]); drop(sb)});
 let url=a["ghl"]["url"].as_str().unwrap().replace("http://",""); let tok=a["ghl"]["token"].as_str().unwrap().to_string(); let loc=a["ghl"]["location_id"].as_str().unwrap().to_string();
 let mut js=vec![]; let t=std::time::Instant::now();
 for c in 0..16 { let (url,tok,loc)=(url.clone(),tok.clone(),loc.clone()); js.push(tokio::spawn(async move{
   let mut s=tokio::net::TcpStream::connect(&url).await.unwrap(); s.set_nodelay(true).unwrap(); let mut n=0u64; let mut buf=vec![0u8;65536];
   while t.elapsed().as_secs()<5 { let b=format!("{{\"locationId\":\"{loc}\",\"firstName\":\"A\",\"lastName\":\"B{n}\",\"email\":\"u{c}-{n}@x.com\",\"phone\":\"+1205{:07}\",\"tags\":[\"a\",\"b\"]}}", c*100000+n%100000);
     s.write_all(format!("POST /contacts/ HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {tok}\r\nversion: 2021-07-28\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{b}",b.len()).as_bytes()).await.unwrap();
     let k=s.read(&mut buf).await.unwrap(); let txt=String::from_utf8_lossy(&buf[..k]); if n==0&&c==0{println!("{}",txt);} assert!(txt.starts_with("HTTP/1.1 201"),"{txt}"); n+=1; } n}));}
 let mut n=0; for j in js { n+=j.await.unwrap(); } println!("{} req/s",n as f64/t.elapsed().as_secs_f64()); h.join().unwrap();
}
