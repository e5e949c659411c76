"""GS1 Application Identifiers: which there are, what they hold and what goes together.

Facts of the GS1 Barcode Syntax Dictionary, release 2026-01-27 (ref.gs1.org), one row each:
identifiers, flags, components, and behind a bar the pairings. F: the length is fixed, no separator
follows. D: may stand in the query of a Digital Link. Components and pairings keep the dictionary's
own notation: N6,yymmdd is six digits that are a date; [..] may be missing; `req` names what must
come along, `ex` what must not; `dlpkey` is a key of a Digital Link with its qualifiers.
"""

from __future__ import annotations

RELEASE = "2026-01-27"

TABLE = """\
00 FD N18,csum,gcppos2 | dlpkey
01 FD N14,csum,gcppos2 | ex=255,37 dlpkey=22,10,21|235
02 FD N14,csum,gcppos2 | ex=01,03 req=37
03 F N14,csum,gcppos2 | ex=01,02,37
10 D X..20 | req=01,02,03,8006,8026
11 FD N6,yymmd0 | req=01,02,03,8006,8026
12 FD N6,yymmd0 | req=8020
13 FD N6,yymmd0 | req=01,02,03,8006,8026
15 FD N6,yymmd0 | req=01,02,03,8006,8026
16 FD N6,yymmd0 | req=01,02,03,8006,8026
17 FD N6,yymmd0 | req=01,02,03,255,8006,8026
20 FD N2 | req=01,02,8006,8026
21 - X..20 | req=01,03,8006 ex=235
22 - X..20 | req=01
235 - X..28 | req=01
240 D X..30 | req=01,02,8006,8026
241 D X..30 | req=01,02,8006,8026
242 D N..6 | req=01,02,8006,8026
243 D X..20 | req=01
250 D X..30 | req=01,8006 req=21
251 D X..30 | req=01,8006
253 D N13,csum,gcppos1 [X..17] | dlpkey
254 - X..20 | req=414
255 D N13,csum,gcppos1 [N..12] | dlpkey ex=01,02,415,8006,8020,8026
30 D N..8 | req=01,02
3100-3105 FD N6 | req=01,02 ex=310n
3110-3115 FD N6 | req=01,02 ex=311n
3120-3125 FD N6 | req=01,02 ex=312n
3130-3135 FD N6 | req=01,02 ex=313n
3140-3145 FD N6 | req=01,02 ex=314n
3150-3155 FD N6 | req=01,02 ex=315n
3160-3165 FD N6 | req=01,02 ex=316n
3200-3205 FD N6 | req=01,02 ex=320n
3210-3215 FD N6 | req=01,02 ex=321n
3220-3225 FD N6 | req=01,02 ex=322n
3230-3235 FD N6 | req=01,02 ex=323n
3240-3245 FD N6 | req=01,02 ex=324n
3250-3255 FD N6 | req=01,02 ex=325n
3260-3265 FD N6 | req=01,02 ex=326n
3270-3275 FD N6 | req=01,02 ex=327n
3280-3285 FD N6 | req=01,02 ex=328n
3290-3295 FD N6 | req=01,02 ex=329n
3300-3305 FD N6 | req=00,01 ex=330n
3310-3315 FD N6 | req=00,01 ex=331n
3320-3325 FD N6 | req=00,01 ex=332n
3330-3335 FD N6 | req=00,01 ex=333n
3340-3345 FD N6 | req=00,01 ex=334n
3350-3355 FD N6 | req=00,01 ex=335n
3360-3365 FD N6 | req=00,01 ex=336n
3370-3375 FD N6 | req=01 ex=337n
3400-3405 FD N6 | req=00,01 ex=340n
3410-3415 FD N6 | req=00,01 ex=341n
3420-3425 FD N6 | req=00,01 ex=342n
3430-3435 FD N6 | req=00,01 ex=343n
3440-3445 FD N6 | req=00,01 ex=344n
3450-3455 FD N6 | req=00,01 ex=345n
3460-3465 FD N6 | req=00,01 ex=346n
3470-3475 FD N6 | req=00,01 ex=347n
3480-3485 FD N6 | req=00,01 ex=348n
3490-3495 FD N6 | req=00,01 ex=349n
3500-3505 FD N6 | req=01,02 ex=350n
3510-3515 FD N6 | req=01,02 ex=351n
3520-3525 FD N6 | req=01,02 ex=352n
3530-3535 FD N6 | req=00,01 ex=353n
3540-3545 FD N6 | req=00,01 ex=354n
3550-3555 FD N6 | req=00,01 ex=355n
3560-3565 FD N6 | req=01,02 ex=356n
3570-3575 FD N6 | req=01,02 ex=357n
3600-3605 FD N6 | req=01,02 ex=360n
3610-3615 FD N6 | req=01,02 ex=361n
3620-3625 FD N6 | req=00,01 ex=362n
3630-3635 FD N6 | req=00,01 ex=363n
3640-3645 FD N6 | req=01,02 ex=364n
3650-3655 FD N6 | req=01,02 ex=365n
3660-3665 FD N6 | req=01,02 ex=366n
3670-3675 FD N6 | req=00,01 ex=367n
3680-3685 FD N6 | req=00,01 ex=368n
3690-3695 FD N6 | req=00,01 ex=369n
37 D N..8 | req=00 req=02,8026
3900-3909 D N..15 | req=255,8020 ex=390n,391n,394n,8111
3910-3919 D N3,iso4217 N..15 | req=8020 ex=391n
3920-3929 D N..15 | req=01 req=30,31nn,32nn,35nn,36nn ex=392n,393n
3930-3939 D N3,iso4217 N..15 | req=30,31nn,32nn,35nn,36nn ex=393n
3940-3943 D N4 | req=255 ex=394n,8111
3950-3955 D N6 | req=30,31nn,32nn,35nn,36nn ex=392n,393n,395n,8005
400 D X..30
401 D X..30,gcppos1 | dlpkey
402 D N17,csum,gcppos1 | dlpkey
403 D X..30 | req=00
410 FD N13,csum,gcppos1
411 FD N13,csum,gcppos1
412 FD N13,csum,gcppos1
413 FD N13,csum,gcppos1
414 FD N13,csum,gcppos1 | dlpkey=254|7040
415 FD N13,csum,gcppos1 | req=8020 dlpkey=8020
416 FD N13,csum,gcppos1
417 FD N13,csum,gcppos1 | dlpkey=7040
420 D X..20 | ex=421
421 D N3,iso3166 X..9 | ex=4307
422 D N3,iso3166 | req=01,02,8006,8026 ex=426
423 D N3,iso3166 [N3],iso3166 [N3],iso3166 [N3],iso3166 [N3],iso3166 | req=01,02 ex=426
424 D N3,iso3166 | req=01,02 ex=426
425 D N3,iso3166 [N3],iso3166 [N3],iso3166 [N3],iso3166 [N3],iso3166 | req=01,02 ex=426
426 D N3,iso3166 | req=01,02
427 D X..3 | req=01,02 req=422
4300 D X..35,pcenc | req=00
4301 D X..35,pcenc | req=00
4302 D X..70,pcenc | req=00
4303 D X..70,pcenc | req=4302
4304 D X..70,pcenc | req=00
4305 D X..70,pcenc | req=00
4306 D X..70,pcenc | req=00
4307 D X2,iso3166alpha2 | req=00
4308 D X..30 | req=00
4309 D N10,latitude N10,longitude | req=00
4310 D X..35,pcenc | req=00
4311 D X..35,pcenc | req=00
4312 D X..70,pcenc | req=00
4313 D X..70,pcenc | req=4312
4314 D X..70,pcenc | req=00
4315 D X..70,pcenc | req=00
4316 D X..70,pcenc | req=00
4317 D X2,iso3166alpha2 | req=00
4318 D X..20 | req=00
4319 D X..30 | req=00
4320 D X..35,pcenc | req=00
4321 D N1,yesno | req=00
4322 D N1,yesno | req=00
4323 D N1,yesno | req=00
4324 D N6,yymmd0 N4,hhmi | req=00
4325 D N6,yymmd0 N4,hhmi | req=00
4326 D N6,yymmdd | req=00
4330 D N6 [X1],hyphen | req=00 ex=4331
4331 D N6 [X1],hyphen | req=00 ex=4330
4332 D N6 [X1],hyphen | req=00 ex=4333
4333 D N6 [X1],hyphen | req=00 ex=4332
7001 D N13 | req=01,02,8006,8026
7002 D X..30 | req=01,02
7003 D N6,yymmdd N4,hhmi | req=01,02
7004 D N..4 | req=01+10
7005 D X..12 | req=01,02
7006 D N6,yymmdd | req=01,02
7007 D N6,yymmdd [N6],yymmdd | req=01,02
7008 D X..3 | req=01,02
7009 D X..10 | req=01,02
7010 D X..2 | req=01,02
7011 D N6,yymmdd [N4],hhmi | req=01,02
7020 D X..20 | req=01,8006 req=416
7021 D X..20 | req=01,8006
7022 D X..20 | req=7021
7023 D X..30,gcppos1
7030 D N3,iso3166999 X..27 | req=01,02
7031 D N3,iso3166999 X..27 | req=01,02
7032 D N3,iso3166999 X..27 | req=01,02
7033 D N3,iso3166999 X..27 | req=01,02
7034 D N3,iso3166999 X..27 | req=01,02
7035 D N3,iso3166999 X..27 | req=01,02
7036 D N3,iso3166999 X..27 | req=01,02
7037 D N3,iso3166999 X..27 | req=01,02
7038 D N3,iso3166999 X..27 | req=01,02
7039 D N3,iso3166999 X..27 | req=01,02
7040 - N1 X1 X1 X1,importeridx
7041 - X..4,packagetype | req=00
710 D X..20 | req=01
711 D X..20 | req=01
712 D X..20 | req=01
713 D X..20 | req=01
714 D X..20 | req=01
715 D X..20 | req=01
716 D X..20 | req=01
717 D X..20 | req=01
7230 D X2 X..28 | req=01,8004
7231 D X2 X..28 | req=01,8004
7232 D X2 X..28 | req=01,8004
7233 D X2 X..28 | req=01,8004
7234 D X2 X..28 | req=01,8004
7235 D X2 X..28 | req=01,8004
7236 D X2 X..28 | req=01,8004
7237 D X2 X..28 | req=01,8004
7238 D X2 X..28 | req=01,8004
7239 D X2 X..28 | req=01,8004
7240 D X..20 | req=01,8006
7241 D N2,mediatype | req=8017,8018
7242 D X..25 | req=8017,8018
7250 D N8,yyyymmdd | req=8018 ex=7251
7251 D N8,yyyymmdd N4,hhmi | req=8018 ex=7250
7252 D N1,iso5218 | req=8018
7253 D X..40,pcenc | req=8017,8018 ex=7256,7259
7254 D X..40,pcenc | req=8017,8018 ex=7256,7259
7255 D X..10 | req=8017,8018 ex=7256,7259
7256 D X..90,pcenc | req=8017,8018
7257 D X..70,pcenc | req=8018
7258 D X3,posinseqslash | req=8018+7259
7259 D X..40,pcenc | req=8018 ex=7256
8001 D N4,nonzero N5,nonzero N3,nonzero N1,winding N1 | req=01
8002 D X..20
8003 D N1,zero N13,csum,gcppos1 [X..16] | dlpkey
8004 D X..30,gcppos1 | dlpkey=7040
8005 D N6 | req=01,02
8006 D N14,csum,gcppos2 N4,pieceoftotal | ex=01,37 dlpkey=22,10,21
8007 D X..34,iban | req=415
8008 D N6,yymmdd N2,hh [N2],mi [N2],ss | req=01,02
8009 D X..50 | req=00,01
8010 D Y..30,gcppos1 | dlpkey=8011
8011 - N..12,nozeroprefix | req=8010
8012 D X..20 | req=01,8006
8013 D X..25,csumalpha,gcppos1 | dlpkey
8014 - X..25,csumalpha,gcppos1,hasnondigit | req=01
8017 D N18,csum,gcppos1 | ex=8018 dlpkey=8019
8018 D N18,csum,gcppos1 | ex=8017 dlpkey=8019
8019 - N..10 | req=8017,8018
8020 - X..25 | req=415
8026 D N14,csum,gcppos2 N4,pieceoftotal | req=37 ex=02,8006
8030 D Z..90 | req=00,01+21,253,255,8003,8004,8006+21,8010+8011,8017,8018
8040 - N15 | req=01+21
8041 - N15 | req=01+21+8040
8042 - N32 | req=01+21+8040
8043 - N18 [N..2] | req=01+21+8040
8110 D X..70,couponcode
8111 D N4 | req=255
8112 D X..70,couponposoffer
8200 - X..70 | req=01
90 D X..30
91-99 D X..90
"""
