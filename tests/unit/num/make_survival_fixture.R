library(survival)
set.seed(1); options(digits=17)
# made-up data: small integers, ties, late entry, strata, clusters, repeated events
n <- 60
lcg <- 12345; rnd <- function(k) { r <- numeric(k); for (i in 1:k) { lcg <<- (lcg*1103515245+12345) %% 2147483648; r[i] <- floor(lcg/65536)/32768 }; r }
id <- rep(1:20, each=3); x1 <- round(rnd(n)*10)/2; x2 <- as.integer(rnd(n)>0.5)
start <- rep(c(0,4,9), 20) + floor(rnd(n)*2); stop <- rep(c(4,9,0),20) ; stop[seq(3,n,3)] <- 12+floor(rnd(20)*8)
stop <- pmax(stop, start+1)
event <- as.integer(rnd(n) < 0.55); st <- rep(rep(1:2, each=3), 10); w <- 1+floor(rnd(n)*3)
num <- rep(1:3,20)
d <- data.frame(id,start,stop,event,x1,x2,st,w,num)
arr <- function(name,v,fmt="%.17g") cat(sprintf("static const double %s[] = {%s};\n", name, paste(sprintf(fmt,v),collapse=", ")))
sink("/tmp/rs/survival_fixture.h")
cat("/* Expected values by R 4.2.2, package survival 3.5-3, on made-up data (60 rows, 20 assets of three rows each with late\n * entry, ties, strata and weights). The call stands above each block. */\n")
cat("#ifndef SURVIVAL_FIXTURE_H\n#define SURVIVAL_FIXTURE_H\nenum { FIXTURE_N = 60 };\n")
for (v in names(d)) arr(paste0("fixture_",v), d[[v]])
one <- function(tag, call, f) {
  cat(sprintf("\n/* %s */\n", call)); arr(paste0(tag,"_coef"), coef(f)); arr(paste0(tag,"_se"), sqrt(diag(if (is.null(f$naive.var)) f$var else f$naive.var)))
  if (!is.null(f$naive.var)) arr(paste0(tag,"_robust"), sqrt(diag(f$var)))
  arr(paste0(tag,"_loglik"), f$loglik); arr(paste0(tag,"_concordance"), f$concordance["concordance"])
}
S <- Surv(start,stop,event)
f1 <- coxph(Surv(start,stop,event) ~ x1+x2, d, ties="efron", cluster=id); one("ag","coxph(Surv(start, stop, event) ~ x1 + x2, ties = 'efron', cluster = id)",f1)
z <- cox.zph(coxph(Surv(start,stop,event) ~ x1+x2, d)); cat("/* cox.zph of it without cluster: chisq x1, x2, GLOBAL */\n"); arr("ag_zph", z$table[,"chisq"])
f2 <- coxph(Surv(start,stop,event) ~ x1+x2+strata(st), d, ties="breslow", cluster=id); one("strat","coxph(... + strata(st), ties = 'breslow', cluster = id)",f2)
f3 <- coxph(Surv(start,stop,event) ~ x1+x2+strata(st), d, ties="efron", weights=w, robust=FALSE); one("weighted","coxph(... + strata(st), ties = 'efron', weights = w, robust = FALSE)",f3)
f4 <- coxph(Surv(stop-start,event) ~ x1+x2+strata(num), d, ties="efron", cluster=id); one("pwp","coxph(Surv(stop - start, event) ~ x1 + x2 + strata(num), ties = 'efron', cluster = id)",f4)
z4 <- cox.zph(coxph(Surv(stop-start,event) ~ x1+x2+strata(num), d)); cat("/* cox.zph of it without cluster */\n"); arr("pwp_zph", z4$table[,"chisq"])
b <- basehaz(f4, centered=FALSE); b <- b[c(TRUE, diff(b$hazard)!=0),]; 
cat("/* basehaz(pwp, centered = FALSE): last cumulative hazard of each stratum */\n"); arr("pwp_base", tapply(b$hazard, b$strata, max))
cat("/* residuals(ag, 'martingale')[1:6] */\n"); arr("ag_martingale", residuals(f1,"martingale")[1:6])
f5 <- coxph(Surv(start,stop,event) ~ x1+x2, d, ties="efron", weights=w, cluster=id); one("agw","coxph(Surv(start, stop, event) ~ x1 + x2, weights = w, cluster = id)",f5)
k <- survfit(Surv(start,stop,event)~1, d, conf.type="log-log"); s <- summary(k)
cat("\n/* survfit(Surv(start, stop, event) ~ 1, conf.type = 'log-log'), rows with events */\n")
arr("km_time",s$time); arr("km_risk",s$n.risk); arr("km_surv",s$surv); arr("km_se",s$std.err); arr("km_lower",s$lower); arr("km_upper",s$upper); arr("km_cumhaz",s$cumhaz); arr("km_cumhaz_se",s$std.chaz)
r <- d[d$num==1,]; lr <- survdiff(Surv(stop,event)~x2+strata(st), r); cat("/* survdiff(Surv(stop, event) ~ x2 + strata(st)) on rows with num 1 */\n"); arr("logrank",c(lr$chisq, rowSums(lr$obs), rowSums(lr$exp)))
m <- survfit(Surv(start,stop,event)~1, d, id=NULL, cluster=id); 
# robust MCF, Lawless-Nadeau by its definition
ts <- sort(unique(d$stop[d$event==1])); ids <- unique(d$id); res <- setNames(numeric(20),ids); mc<-0; out<-NULL
for (t in ts){ ar <- unique(d$id[d$start<t & d$stop>=t]); own <- sapply(ids,function(i) sum(d$event[d$id==i & d$stop==t])); n0<-length(ar); mean<-sum(own)/n0; mc<-mc+mean; res <- res + (ids %in% ar)*(own-mean)/n0; out<-rbind(out,c(t,mc,sqrt(sum(res^2))))}
cat("/* mean cumulative function and its robust error: survfit(..., cluster = id) cumhaz; error by definition in R */\n"); arr("mcf_value", summary(m)$cumhaz); arr("mcf_se", summary(m)$std.chaz); arr("mcf_se_def", out[,3])
# parametric
low <- c(3,5,2,8,1,6,4,9,12,7,0,0,2,3,5,1,10,15,6,2,11,4,8,13,3,9); high <- c(3,5,2,8,1,6,4,9,12,7,4,6,5,8,9,3,Inf,Inf,Inf,Inf,11,4,8,13,7,Inf)
xx <- c(1,0,2,1,3,0,2,1,0,1,3,2,1,2,0,3,0,1,1,2,0,3,1,0,2,1)
lo <- ifelse(low==0,NA,low); hi <- ifelse(is.infinite(high),NA,high)
arr("life_low",low); arr("life_high",ifelse(is.infinite(high),-1,high)); arr("life_x",xx)
for (dist in c("weibull","exponential","lognormal","loglogistic")) { f <- survreg(Surv(lo,hi,type="interval2")~xx,dist=dist); cat(sprintf("/* survreg(Surv(low, high, type = 'interval2') ~ x, dist = '%s'): coefficients, errors (log scale last), loglik null and full */\n",dist)); arr(paste0("life_",dist), c(coef(f), if(dist=="exponential") 0 else log(f$scale), sqrt(diag(f$var)), f$loglik)) }
cl <- rep(1:13,2); k <- low==high | is.infinite(high); f <- survreg(Surv(low[k],as.integer(low==high)[k])~xx[k],dist="weibull",cluster=cl[k]); cat("/* survreg(Surv(low, exact) ~ x, dist = 'weibull', cluster = rep(1:13, 2)) on exact and right-censored rows: robust errors */\n"); arr("life_robust", sqrt(diag(f$var)))
f <- survreg(Surv(lo,hi,type="interval2")~xx,dist="weibull"); pp <- c(coef(f),log(f$scale))
li <- function(p){ mu<-p[1]+p[2]*xx; s<-exp(p[3]); S<-function(t) ifelse(t==0,1,ifelse(is.infinite(t),0,pweibull(t,1/s,exp(mu),lower.tail=FALSE))); ifelse(low==high,dweibull(low,1/s,exp(mu),log=TRUE),log(S(low)-S(high)))}
G <- sapply(1:3,function(j){h<-1e-5; e<-replace(numeric(3),j,h); (li(pp+e)-li(pp-e))/(2*h)}); V <- f$var; U <- rowsum(G,cl)
cat("/* All rows: sandwich from the likelihood written out in R, scores by differences (survreg's own robust errors take an\n * approximation for intervals) */\n"); arr("life_sandwich", sqrt(diag(V%*%crossprod(U)%*%V)))
# left truncation: maximised in R from the likelihood written out
en <- pmax(0, ifelse(is.infinite(high)|low==high, low-2, 0))
ll <- function(p,g) { mu<-p[1]+p[2]*xx; s<-exp(p[3]); S<-function(t) pweibull(t,1/s,exp(mu),lower.tail=FALSE)
 v <- ifelse(low==high, dweibull(low,1/s,exp(mu),log=TRUE), ifelse(is.infinite(high), log(S(low)), log(S(low)-S(high)))) - log(S(en)); sum(v) }
o <- optim(c(2,0,0), function(p) -ll(p), method="BFGS", control=list(reltol=1e-15,maxit=1000)); o <- optim(o$par, function(p) -ll(p), method="BFGS", control=list(reltol=1e-16), hessian=TRUE)
cat("/* Weibull with late entry max(0, low - 2) of exact and right-censored rows: optim() on the likelihood written out in R:\n * coefficients, log scale, errors, loglik */\n"); arr("life_entry",en); arr("life_late", c(o$par, sqrt(diag(solve(o$hessian))), -o$value))
cat("#endif\n"); sink()
